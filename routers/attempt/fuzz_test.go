package attempt

import (
	"reflect"
	"strings"
	"testing"

	"github.com/belay-dev/belay/routers"
)

// FuzzRead reads a ConfigMap in which anything stands: what is no intent counts as absent, and what is read says the same
// when it is written and read again, at weight 0.
func FuzzRead(f *testing.F) {
	f.Add("7.3/pod-template-hash=a", "app=web,empty=,tier=front", "7.3/web/web-canary/0/100", "web,web-internal", "{}", "d1")
	f.Add("7.3/app=a", "app", "7.3/web/web-canary/101/100", "web", "", "")
	f.Add("", ",=,a=b=c,a=d", "7.3/web/web-canary/1000/1000", ",", "\x00", "\n")
	f.Add("7.3/pod-template-hash=a\n", "=", "x", "", "", "")
	f.Fuzz(func(t *testing.T, pin, labels, split, routes, snapshot, digest string) {
		d := read(map[string]string{keyPin: pin, keyPodLabels: labels, keySplit: split, keyRoutes: routes, keySnapshot: snapshot, keyDigest: digest})
		if d.Snapshot != snapshot || d.Digest != digest {
			t.Errorf("snapshot %q and digest %q became %q and %q", snapshot, digest, d.Snapshot, d.Digest)
		}
		if want, ok := routers.ParsePin(pin); ok && d.Pin != want || !ok && d.Pin != (routers.Pin{}) {
			t.Errorf("pin %q is read as %+v", pin, d.Pin)
		}
		if want, ok := routers.ParseSplit(split); ok && d.Split != want || !ok && d.Split != (routers.Split{}) {
			t.Errorf("split %q is read as %+v", split, d.Split)
		}
		if len(d.PodLabels) > strings.Count(labels, ",")+1 || len(d.Routes) > strings.Count(routes, ",")+1 {
			t.Errorf("%q and %q are read as %v and %v", labels, routes, d.PodLabels, d.Routes)
		}
		if d.Pin == (routers.Pin{}) || d.Split == (routers.Split{}) {
			return // an attempt always has a pin, and what is absent is not written
		}
		again := read(d.written())
		want := d
		want.Split.Weight = 0
		if len(d.Routes) == 0 {
			want.Split = routers.Split{}
		}
		if !reflect.DeepEqual(again, want) {
			t.Errorf("written and read again\n%+v\nbecame\n%+v", want, again)
		}
	})
}
