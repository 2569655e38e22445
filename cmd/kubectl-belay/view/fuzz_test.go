package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// sequences are what this program itself tells a terminal.
var sequences = regexp.MustCompile(`\x1b\[[0-9;]*m`)

func seedStatuses(f *testing.F) {
	for _, tree := range []Tree{healthy(), progressing(), paused(), reverting()} {
		text, err := json.Marshal(tree.Rollout)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, uint8(60), "checkout-7f6b", "Running")
	}
	f.Add([]byte(`{"status":{"phase":"\u001b[2J","message":"a\r\nb\u202ec","step":"9/0","weight":"%","routes":[{"wantedPermille":-5}],"metrics":[{"name":"\t","verdict":"?","counts":{"error":-1}}],"history":[{"attempt":-1,"commit":"main@sha1:"}]}}`), uint8(1), "\x07", "\x9b31m")
	f.Add([]byte(`{"metadata":{"annotations":{"belay.dev/request":"a b c"}},"spec":{"strategy":{"canary":{"steps":[{},{"approve":{"onTimeout":"Continue"}},{"weightPermille":1,"replicas":"x"}]}}},"status":{"request":{"token":"c"},"conditions":[{"type":"Stalled","status":"True"}]}}`), uint8(21), "ａ́", "")
}

// obeyed is the first thing in a text that a terminal would obey; -1: there is none.
func obeyed(text string) int {
	return strings.IndexFunc(sequences.ReplaceAllString(text, ""), func(r rune) bool {
		return r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf))
	})
}

// FuzzRender draws Rollouts whose status says anything: no line is wider than asked, nothing that somebody wrote reaches the
// terminal as an order, and without colours the text is the same but for them.
func FuzzRender(f *testing.F) {
	seedStatuses(f)
	f.Fuzz(func(t *testing.T, text []byte, width uint8, name, state string) {
		r := &v1alpha1.Rollout{}
		if json.Unmarshal(text, r) != nil {
			return
		}
		tree := Tree{Rollout: r, Now: noon, Notes: []string{name}, Workload: &Workload{Kind: "Deployment", Name: name, Replicas: 3, Held: true, Bypass: state},
			Canary: &Group{Name: name, Replicas: 2, Pods: []Pod{{Name: name, State: state, Restarts: 1, Created: noon.Add(-time.Hour)}}}}
		for _, draw := range []func(Options) string{
			func(o Options) string { return Render(tree, o) },
			func(o Options) string { return Table([]v1alpha1.Rollout{*r, *r}, noon, o) },
		} {
			o := Options{Width: int(width), Wide: width%2 == 0, AllNamespaces: width%3 == 0}
			got := draw(o)
			if at := obeyed(got); at >= 0 || strings.Contains(got, "\x1b") {
				t.Errorf("%q has something at %d that a terminal obeys", got, at)
			}
			for line := range strings.SplitSeq(got, "\n") {
				if width > 0 && columns(line) > int(width) {
					t.Errorf("%d columns, %d allowed: %q", columns(line), width, line)
				}
			}
			o.Colour = true
			if coloured := sequences.ReplaceAllString(draw(o), ""); coloured != got {
				t.Errorf("in colours it says\n%s\nand without\n%s", coloured, got)
			}
		}
	})
}

// FuzzChanges tells the changes from one status to another: each is one line that starts as all do, and nothing is told
// when nothing changed.
func FuzzChanges(f *testing.F) {
	seedStatuses(f)
	f.Fuzz(func(t *testing.T, text []byte, _ uint8, name, reason string) {
		older, newer := &v1alpha1.Rollout{}, &v1alpha1.Rollout{}
		if json.Unmarshal(text, older) != nil || json.Unmarshal(text, newer) != nil {
			return
		}
		if lines := Changes(older, newer, noon); len(lines) > 0 {
			t.Errorf("nothing changed, and it tells %q", lines)
		}
		newer.Status.Message += reason
		newer.Status.History = append([]v1alpha1.AttemptRecord{{Attempt: 1 << 40, Outcome: v1alpha1.Outcome(name), Reason: reason, Commit: name}}, newer.Status.History...)
		newer.Status.Metrics = append(newer.Status.Metrics, v1alpha1.MetricStatus{Name: name, Verdict: v1alpha1.VerdictFail, Message: reason})
		for _, older := range []*v1alpha1.Rollout{older, nil} {
			for _, line := range Changes(older, newer, noon) {
				if strings.Contains(line, "\n") || obeyed(line) >= 0 || !strings.HasPrefix(line, "12:00:00  ") {
					t.Errorf("%q is no line of a log", line)
				}
			}
		}
	})
}

var moves = regexp.MustCompile(`^\x1b\[\d+A`)

// FuzzScreen redraws texts on a screen of any height: what scrolled away is never moved up to.
func FuzzScreen(f *testing.F) {
	f.Add("a\nb\nc\n", "a\n", uint8(2))
	f.Add("", "\n\n\n\n", uint8(0))
	f.Add("a", "a", uint8(255))
	f.Fuzz(func(t *testing.T, first, second string, height uint8) {
		var out bytes.Buffer
		screen := NewScreen(&out, func() int { return int(height) })
		drawn := 0
		for _, text := range []string{first, second, second} {
			before := out.Len()
			if err := screen.Draw(text); err != nil {
				t.Fatal(err)
			}
			written := out.String()[before:]
			lines := strings.Count(written, "\n")
			if height > 1 && lines >= int(height) {
				t.Errorf("%d lines on %d", lines, height)
			}
			if written != "" {
				up := fmt.Sprintf("\x1b[%dA\r", drawn)
				if drawn > 0 && !strings.HasPrefix(written, up) || drawn == 0 && moves.MatchString(written) {
					t.Errorf("after %d lines it begins %q", drawn, written)
				}
				drawn = lines
			}
		}
		before := out.Len()
		if err := screen.Draw(second); err != nil || out.Len() != before {
			t.Errorf("the same text is drawn again: %v", err)
		}
	})
}
