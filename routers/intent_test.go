package routers

import (
	"strings"
	"testing"
)

func TestParseSplit(t *testing.T) {
	good := Split{Fence: Fence{Attempt: 7, Sequence: 41}, Service: "checkout", Canary: "checkout-canary", Weight: 25, Scale: 100}
	tests := map[string]struct {
		value string
		want  Split
		ok    bool
	}{
		"good":                  {"7.41/checkout/checkout-canary/25/100", good, true},
		"weight zero":           {"7.41/checkout/checkout-canary/0/100", Split{Fence: good.Fence, Service: good.Service, Canary: good.Canary, Scale: 100}, true},
		"all of it, per mille":  {"0.0/a/b/1000/1000", Split{Service: "a", Canary: "b", Weight: 1000, Scale: 1000}, true},
		"nothing":               {"", Split{}, false},
		"more than the scale":   {"7.41/checkout/checkout-canary/101/100", Split{}, false},
		"a zero before":         {"7.41/checkout/checkout-canary/025/100", Split{}, false},
		"another scale":         {"7.41/checkout/checkout-canary/5/10", Split{}, false},
		"a negative weight":     {"7.41/checkout/checkout-canary/-5/100", Split{}, false},
		"no sequence":           {"7/checkout/checkout-canary/25/100", Split{}, false},
		"a fence of ten digits": {"1234567890.1/checkout/checkout-canary/25/100", Split{}, false},
		"no canary":             {"7.41/checkout//25/100", Split{}, false},
		"capitals":              {"7.41/Checkout/checkout-canary/25/100", Split{}, false},
		"a long name":           {"7.41/" + strings.Repeat("a", 64) + "/b/25/100", Split{}, false},
		"something behind":      {"7.41/checkout/checkout-canary/25/100/", Split{}, false},
		"a line behind":         {"7.41/checkout/checkout-canary/25/100\n", Split{}, false},
		"something before":      {" 7.41/checkout/checkout-canary/25/100", Split{}, false},
		"other digits":          {"٧.41/checkout/checkout-canary/25/100", Split{}, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := ParseSplit(tc.value)
			if ok != tc.ok || (ok && got != tc.want) {
				t.Errorf("read %+v, %t", got, ok)
			}
			if ok && got.String() != tc.value {
				t.Errorf("written back as %s", got)
			}
		})
	}
}

func TestParsePin(t *testing.T) {
	tests := map[string]struct {
		value string
		want  Pin
		ok    bool
	}{
		"Deployment":        {"7.41/pod-template-hash=7d4f", Pin{Fence{7, 41}, "pod-template-hash", "7d4f"}, true},
		"StatefulSet":       {"0.1/controller-revision-hash=web-7d4f", Pin{Fence{0, 1}, "controller-revision-hash", "web-7d4f"}, true},
		"nothing":           {"", Pin{}, false},
		"another key":       {"7.41/app=checkout", Pin{}, false},
		"no value":          {"7.41/pod-template-hash=", Pin{}, false},
		"two":               {"7.41/pod-template-hash=a,b", Pin{}, false},
		"a long value":      {"7.41/pod-template-hash=" + strings.Repeat("a", 64), Pin{}, false},
		"no fence":          {"pod-template-hash=7d4f", Pin{}, false},
		"a negative fence":  {"-7.41/pod-template-hash=7d4f", Pin{}, false},
		"a line behind":     {"7.41/pod-template-hash=7d4f\n", Pin{}, false},
		"a label's capital": {"7.41/pod-template-hash=7D4F", Pin{}, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := ParsePin(tc.value)
			if ok != tc.ok || (ok && got != tc.want) {
				t.Errorf("read %+v, %t", got, ok)
			}
			if ok && got.String() != tc.value {
				t.Errorf("written back as %s", got)
			}
		})
	}
}

func TestScale(t *testing.T) {
	tests := map[string]struct {
		shares []int32
		want   int32
	}{"percent": {[]int32{50, 250, 1000}, 100}, "per mille": {[]int32{5, 1000}, 1000}, "none": {nil, 100}, "zero": {[]int32{0}, 100}}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			scale := ScaleFor(tc.shares)
			if scale != tc.want {
				t.Fatalf("scale %d, want %d", scale, tc.want)
			}
			for _, share := range tc.shares {
				s := Split{Weight: WeightIn(share, scale), Scale: scale}
				if s.Permille() != share {
					t.Errorf("%d is written as %d of %d", share, s.Weight, scale)
				}
			}
		})
	}
}

func TestStateOfARoute(t *testing.T) {
	intent := &Split{Weight: 25, Scale: 100}
	tests := map[string]struct {
		state    State
		permille int32
		clear    bool
	}{
		"split":                        {State{Found: true, Intent: intent, Divided: true}, 250, false},
		"an intent that is not obeyed": {State{Found: true, Intent: intent}, 0, false},
		"divided by somebody":          {State{Found: true, Divided: true}, 0, false},
		"as Git says":                  {State{Found: true}, 0, true},
		"missing":                      {State{Intent: intent}, 0, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tc.state.Permille(); got != tc.permille {
				t.Errorf("share %d", got)
			}
			if got := tc.state.Clear(); got != tc.clear {
				t.Errorf("clear %t", got)
			}
		})
	}
}

// An intent that is read is one that would be written, letter by letter; anything else counts as absent.
func FuzzParseSplit(f *testing.F) {
	for _, seed := range []string{"", "7.41/checkout/checkout-canary/25/100", "0.0/a/b/1000/1000", "1.1/a/b/101/100", "1.1/a/b/1/10", "00.01/a/b/007/100", "1.1/a/b/5/100\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		s, ok := ParseSplit(value)
		if !ok {
			if s != (Split{}) {
				t.Errorf("%q is no intent and is read as %+v", value, s)
			}
			return
		}
		if _, written, _ := strings.Cut(value, "/"); written != strings.TrimPrefix(s.String(), s.Fence.String()+"/") {
			t.Errorf("%q is read as %s", value, s)
		}
		if s.Weight < 0 || s.Weight > s.Scale || (s.Scale != 100 && s.Scale != 1000) || s.Service == "" || s.Canary == "" {
			t.Fatalf("%q is read as %+v", value, s)
		}
		if again, ok := ParseSplit(s.String()); !ok || again != s {
			t.Errorf("%q is read as %+v, and that as %+v", value, s, again)
		}
		if share := s.Permille(); share < 0 || share > 1000 {
			t.Errorf("%q gives a share of %d", value, share)
		}
	})
}

func FuzzParsePin(f *testing.F) {
	for _, seed := range []string{"", "7.41/pod-template-hash=7d4f", "0.1/controller-revision-hash=web-7d4f", "1.1/app=a", "1.1/pod-template-hash=a=b", "001.1/pod-template-hash=a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		p, ok := ParsePin(value)
		if !ok {
			if p != (Pin{}) {
				t.Errorf("%q is no intent and is read as %+v", value, p)
			}
			return
		}
		if p.Value == "" || strings.ContainsAny(p.Value, "=,/ \n") || p.Attempt < 0 || p.Sequence < 0 {
			t.Fatalf("%q is read as %+v", value, p)
		}
		if again, ok := ParsePin(p.String()); !ok || again != p {
			t.Errorf("%q is read as %+v, and that as %+v", value, p, again)
		}
	})
}
