package repository

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/belay-dev/belay/gitops"
)

const (
	maxSubject  = 72
	maxFree     = 200 // characters of one free text
	maxEvidence = 30  // lines
	maxNamed    = 10  // culprits
	maxFiles    = 5   // file names in the sentence
)

// facts are what the message says besides the failure itself.
type facts struct {
	key      string
	files    []string
	culprits []gitops.Culprit // empty: the range is named
	interval gitops.Interval
	author   gitops.Identity
	failure  gitops.Failure
}

// message is the whole commit message. It depends on its argument alone, so that a retry makes
// the same commit. Free text (metrics, reasons, other people's subjects) is cleaned and never
// stands at the beginning of a line of the last paragraph, so that nobody forges a trailer with it.
func message(f facts) string {
	var b strings.Builder
	rollout := clean(f.failure.Namespace + "/" + f.failure.Rollout)
	fmt.Fprintf(&b, "%s\n\n%s\n", subject(rollout, f.failure), reverted(f))
	fmt.Fprintf(&b, "%s", story(rollout, f.failure))

	fmt.Fprintf(&b, "\n%s: %s\n", trailerKey, f.key)
	if len(f.culprits) == 0 {
		fmt.Fprintf(&b, "%s: %s\n", trailerReverts, f.interval.Failed)
	}
	for i, c := range f.culprits {
		if i == maxNamed {
			break
		}
		fmt.Fprintf(&b, "%s: %s\n", trailerReverts, c.Commit)
	}
	who := rollout
	if cluster := clean(f.failure.Cluster); cluster != "" {
		who = cluster + "/" + rollout
	}
	fmt.Fprintf(&b, "%s: %s\n", trailerRollout, who)
	author := identity(f.author)
	fmt.Fprintf(&b, "Signed-off-by: %s <%s>\n", author.Name, author.Email)
	return b.String()
}

func subject(rollout string, failure gitops.Failure) string {
	to := clean(failure.Stable)
	if to == "" {
		to = "stable"
	}
	text := "Revert " + rollout + " to " + to
	if why := clean(failure.Headline); why != "" {
		text += ": " + why
	}
	return shorten(text, maxSubject)
}

// reverted says what is taken back: one commit, several, or a range.
func reverted(f facts) string {
	only := fmt.Sprintf("%d files", len(f.files))
	if len(f.files) <= maxFiles {
		names := make([]string, len(f.files))
		for i, name := range f.files {
			names[i] = clean(name)
		}
		only = strings.Join(names, ", ")
	}
	switch len(f.culprits) {
	case 0:
		return fmt.Sprintf("This reverts what changed in %s..%s (only %s).\n", f.interval.Stable, f.interval.Failed, only)
	case 1:
		return fmt.Sprintf("This reverts commit %s (only %s).\n", f.culprits[0].Commit, only)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "This reverts %d commits (only %s):\n", len(f.culprits), only)
	for i, c := range f.culprits {
		if i == maxNamed {
			fmt.Fprintf(&b, "  and %d more in %s..%s\n", len(f.culprits)-maxNamed, f.interval.Stable, f.interval.Failed)
			break
		}
		fmt.Fprintf(&b, "  %s %s\n", c.Commit, shorten(clean(c.Subject), 60))
	}
	return b.String()
}

// story is what happened: where, when, why, and that the traffic is back.
func story(rollout string, failure gitops.Failure) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Rollout %s", rollout)
	if cluster := clean(failure.Cluster); cluster != "" {
		fmt.Fprintf(&b, " on cluster %s", cluster)
	}
	b.WriteString(" failed")
	if step := clean(failure.Step); step != "" {
		fmt.Fprintf(&b, " at step %s", step)
	}
	fmt.Fprintf(&b, ", %s.\n", failure.At.UTC().Format(time.RFC3339))
	if reason := clean(failure.Reason); reason != "" {
		fmt.Fprintf(&b, "  %s\n", reason)
	}
	b.WriteString(table(failure.Evidence))
	if !failure.TrafficBack.IsZero() {
		fmt.Fprintf(&b, "Traffic went back to the stable revision at %s. ", failure.TrafficBack.UTC().Format("15:04:05Z"))
	}
	b.WriteString("This commit makes Git agree.\n")
	return b.String()
}

func table(evidence []gitops.Evidence) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 1, 3, ' ', 0)
	for i, e := range evidence {
		if i == maxEvidence {
			fmt.Fprintf(w, "  and %d more\n", len(evidence)-maxEvidence)
			break
		}
		if e.Value == "" && e.Limit == "" && e.Remark == "" {
			fmt.Fprintf(w, "  %s\n", clean(e.Name)) // a sentence is in no column, or its length would be that of all names
			continue
		}
		limit := clean(e.Limit)
		if limit != "" {
			limit = "limit " + limit
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", clean(e.Name), clean(e.Value), limit, clean(e.Remark))
	}
	_ = w.Flush() // into memory
	var lines strings.Builder
	for line := range strings.Lines(b.String()) {
		if strings.TrimSpace(line) == "" {
			continue // all free text of it was control characters; a blank line would end the paragraph
		}
		lines.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return lines.String()
}

// clean makes one line of visible characters out of a text. Line and paragraph separators, control
// characters and those that turn the direction of writing become spaces.
func clean(text string) string {
	text = strings.ToValidUTF8(text, " ")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, text)
	return shorten(strings.Join(strings.Fields(text), " "), maxFree)
}

// shorten cuts a text to so many characters, the last of them an ellipsis.
func shorten(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return strings.TrimRight(string(runes[:limit-1]), " ") + "…"
}

// identity makes a name and address that Git takes as they are.
func identity(who gitops.Identity) gitops.Identity {
	strip := strings.NewReplacer("<", "", ">", "")
	name, email := clean(strip.Replace(who.Name)), clean(strip.Replace(who.Email))
	if name == "" {
		name = "belay"
	}
	if email == "" {
		email = "belay@localhost"
	}
	return gitops.Identity{Name: name, Email: email}
}
