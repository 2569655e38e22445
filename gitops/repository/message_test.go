package repository

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/belay-dev/belay/gitops"
)

func someFacts() facts {
	at := time.Date(2026, 11, 22, 5, 1, 33, 0, time.UTC)
	return facts{
		key:      strings.Repeat("9c1e4b", 10) + "0000",
		files:    []string{"apps/checkout/prod/kustomization.yaml"},
		culprits: []gitops.Culprit{{Commit: strings.Repeat("3f", 20), Author: "Ada", Subject: "ship v2"}},
		interval: gitops.Interval{Stable: strings.Repeat("1a", 20), Failed: strings.Repeat("3f", 20)},
		author:   gitops.Identity{Name: "belay", Email: "belay@example.com"},
		failure: gitops.Failure{
			Cluster: "prod-eu", Namespace: "shop", Rollout: "checkout", Stable: "v1", Headline: "error-rate 7.2% > 1%", Step: "3/6 (25%)",
			Evidence: []gitops.Evidence{
				{Name: "error-rate", Value: "7.2%", Limit: "1%", Remark: "canary 361/5012, stable 48/15110"},
				{Name: "p99 latency", Value: "0.81s", Limit: "1s", Remark: "pass"},
			},
			At: at, TrafficBack: at.Add(time.Second),
		},
	}
}

func TestMessage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*facts)
		want   string
	}{
		"as documented": {func(*facts) {}, `Revert shop/checkout to v1: error-rate 7.2% > 1%

This reverts commit 3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f (only apps/checkout/prod/kustomization.yaml).

Rollout shop/checkout on cluster prod-eu failed at step 3/6 (25%), 2026-11-22T05:01:33Z.
  error-rate    7.2%    limit 1%   canary 361/5012, stable 48/15110
  p99 latency   0.81s   limit 1s   pass
Traffic went back to the stable revision at 05:01:34Z. This commit makes Git agree.

Belay-Revert-Key: 9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b0000
Belay-Reverts: 3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f
Belay-Rollout: prod-eu/shop/checkout
Signed-off-by: belay <belay@example.com>
`},
		"several commits and a reason without metrics": {func(f *facts) {
			f.culprits = append(f.culprits, gitops.Culprit{Commit: strings.Repeat("4e", 20), Subject: "ship\u2028Belay-Revert-Key: forged"})
			f.files = []string{"a.yaml", "b b.yaml"}
			f.failure.Evidence, f.failure.TrafficBack, f.failure.Cluster, f.failure.Step = nil, time.Time{}, "", ""
			f.failure.Headline, f.failure.Reason = "pods never became ready", "0 of 1 pods are ready: CrashLoopBackOff"
		}, `Revert shop/checkout to v1: pods never became ready

This reverts 2 commits (only a.yaml, b b.yaml):
  3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f ship v2
  4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e ship Belay-Revert-Key: forged

Rollout shop/checkout failed, 2026-11-22T05:01:33Z.
  0 of 1 pods are ready: CrashLoopBackOff
This commit makes Git agree.

Belay-Revert-Key: 9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b0000
Belay-Reverts: 3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f
Belay-Reverts: 4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e
Belay-Rollout: shop/checkout
Signed-off-by: belay <belay@example.com>
`},
		"a range": {func(f *facts) { f.culprits, f.failure.Evidence = nil, nil }, `Revert shop/checkout to v1: error-rate 7.2% > 1%

This reverts what changed in 1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a..3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f (only apps/checkout/prod/kustomization.yaml).

Rollout shop/checkout on cluster prod-eu failed at step 3/6 (25%), 2026-11-22T05:01:33Z.
Traffic went back to the stable revision at 05:01:34Z. This commit makes Git agree.

Belay-Revert-Key: 9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b9c1e4b0000
Belay-Reverts: 3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f
Belay-Rollout: prod-eu/shop/checkout
Signed-off-by: belay <belay@example.com>
`},
	} {
		t.Run(name, func(t *testing.T) {
			f := someFacts()
			c.change(&f)
			if got := message(f); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestTrailers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		message string
		want    string // of Belay-Revert-Key, joined by |
	}{
		"ours":                  {message(someFacts()), someFacts().key},
		"with CRLF":             {"a\r\n\r\nBelay-Revert-Key: k\r\nX: y\r\n", "k"},
		"two":                   {"a\n\nBelay-Revert-Key: k\nBelay-Revert-Key: l", "k|l"},
		"folded":                {"a\n\nBelay-Revert-Key: k\n  l\n", "k l"},
		"cherry-picked":         {"a\n\nBelay-Revert-Key: k\n(cherry picked from commit abc)\n", "k"},
		"trailing blank lines":  {"a\n\nBelay-Revert-Key: k\n\n \n", "k"},
		"the subject is none":   {"Belay-Revert-Key: k", ""},
		"in the middle is none": {"a\n\nBelay-Revert-Key: k\n\nmore", ""},
		"in a text is none":     {"a\n\nhe wrote\nBelay-Revert-Key: k", ""},
		"indented is none":      {"a\n\n Belay-Revert-Key: k", ""},
		"empty":                 {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(trailers(c.message)[trailerKey], "|"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestForbidsRevert(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]bool{
		"a\n\nNo-Auto-Revert: true":  true,
		"a\n\nno-auto-revert: TRUE":  true,
		"a\n\nNo-Auto-Revert: yes":   true,
		"a\n\nNo-Auto-Revert: false": false,
		"No-Auto-Revert: true":       false,
		"a\n\nNo-Auto-Revert true":   false,
	} {
		if got := forbidsRevert(message); got != want {
			t.Errorf("%q: %v", message, got)
		}
	}
}

// Nothing that anybody can put into a name, a reason or a subject changes what the trailers say.
func FuzzMessage(f *testing.F) {
	f.Add("error-rate", "7.2%", "x\n\nBelay-Revert-Key: forged", "belay")
	f.Add("\n\n", "\r\n\r\nNo-Auto-Revert: true\r\n", "\u2028\u2029\u0085\v\f", "a>\nb <c")
	f.Add("\x00\x01", "\xff\xfe", "---\ndiff --git a b", strings.Repeat("w", 500))
	f.Add("\u202e", "Belay-Rollout: x", "Signed-off-by: x", "")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		facts := someFacts()
		facts.failure.Namespace, facts.failure.Rollout, facts.failure.Cluster = a, b, c
		facts.failure.Stable, facts.failure.Headline, facts.failure.Reason, facts.failure.Step = b, c, d, a
		facts.failure.Evidence = []gitops.Evidence{{Name: a, Value: b, Limit: c, Remark: d}, {Name: d, Value: c, Limit: b, Remark: a}}
		facts.files = []string{a, d}
		facts.culprits = append(facts.culprits, gitops.Culprit{Commit: strings.Repeat("4e", 20), Author: a, Subject: c})
		facts.author = gitops.Identity{Name: d, Email: a}
		text := message(facts)
		found := trailers(text)
		if len(found[trailerKey]) != 1 || found[trailerKey][0] != facts.key {
			t.Errorf("keys %q in\n%s", found[trailerKey], text)
		}
		if len(found[trailerReverts]) != 2 || len(found[trailerRollout]) != 1 || len(found["Signed-off-by"]) != 1 || len(found) != 4 {
			t.Errorf("trailers %q in\n%s", found, text)
		}
		subject, _, _ := strings.Cut(text, "\n")
		if n := utf8.RuneCountInString(subject); n > maxSubject {
			t.Errorf("the subject has %d characters: %s", n, subject)
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) }); i >= 0 {
			t.Errorf("a control character at %d in %q", i, text)
		}
		if text != message(facts) {
			t.Error("the same facts give another message")
		}
	})
}

func FuzzTrailers(f *testing.F) {
	f.Add("a\n\nBelay-Revert-Key: k\n  l\n")
	f.Add(" \n\t\n\r\n: \nx:\n y")
	f.Fuzz(func(t *testing.T, text string) {
		for key, values := range trailers(text) {
			if key == "" || len(values) == 0 {
				t.Errorf("%q: %q", key, values)
			}
			for _, v := range values {
				if strings.ContainsAny(v, "\n") {
					t.Errorf("%q has a line break", v)
				}
			}
		}
	})
}
