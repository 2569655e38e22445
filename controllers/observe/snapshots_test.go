package observe

import (
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/api/v1alpha1"
)

func snapshotOf(weights ...int32) Snapshot {
	s := Snapshot{Metrics: []v1alpha1.Metric{{Name: "errors"}}, Args: map[string]string{"job": "web"}}
	s.Spec.Strategy.Canary = weighted(weights...)
	return s
}

// What is remembered answers as what is worked out does, in whatever order texts come.
func TestSnapshotsAnswerAsIfNothingWereRemembered(t *testing.T) {
	key, other := types.NamespacedName{Namespace: "shop", Name: "web"}, types.NamespacedName{Namespace: "shop", Name: "api"}
	a, b := snapshotOf(5, 100), snapshotOf(50)
	text, digest, err := a.Encode()
	must(t, err)
	another, itsDigest, err := b.Encode()
	must(t, err)
	forged := strings.Replace(text, `"weight":5`, `"weight":100`, 1)
	var c snapshots
	for i, of := range []struct {
		key          types.NamespacedName
		live         Snapshot
		text, digest string
	}{
		{key, a, text, digest}, {key, a, text, digest}, {key, a, forged, digest}, {key, a, text, itsDigest}, {other, b, text, digest},
		{key, b, another, itsDigest}, {key, b, "", digest}, {key, b, "", ""}, {key, a, text, digest}, {other, b, another, digest},
	} {
		gotText, gotDigest, err := c.encode(of.key, of.live)
		wantText, wantDigest, wantErr := of.live.Encode()
		if gotText != wantText || gotDigest != wantDigest || err != nil || wantErr != nil {
			t.Errorf("look %d: written as %s, %s, %v", i, gotText, gotDigest, err)
		}
		got, intact := c.decode(of.key, of.text, of.digest)
		want, is := decode(of.text, of.digest)
		if intact != is || !reflect.DeepEqual(got, want) {
			t.Errorf("look %d: read as %+v, %t", i, got, intact)
		}
	}
}

// Whoever has read a snapshot may do with it what he likes.
func TestSnapshotsAreNotShared(t *testing.T) {
	key := types.NamespacedName{Namespace: "shop", Name: "web"}
	text, digest, err := snapshotOf(5, 100).Encode()
	must(t, err)
	want, _ := decode(text, digest)
	var c snapshots
	for range 3 {
		got, intact := c.decode(key, text, digest)
		if !intact || !reflect.DeepEqual(got, want) {
			t.Fatalf("read as %+v, %t", got, intact)
		}
		got.Args["job"], got.Metrics[0].Name, got.Spec.Strategy.Canary.Steps[0].Weight = "", "", nil
	}
	if c.forget(key); len(c.last) > 0 {
		t.Error("a Rollout that is gone is remembered")
	}
}
