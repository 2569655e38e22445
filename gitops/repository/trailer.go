package repository

import (
	"regexp"
	"strings"
)

// The trailers that we write and read.
const (
	trailerKey     = "Belay-Revert-Key"
	trailerReverts = "Belay-Reverts"
	trailerRollout = "Belay-Rollout"
	trailerNoAuto  = "No-Auto-Revert"
)

var trailerLine = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)$`)

// trailers reads the trailers of a commit message: the lines "Key: value" of its last paragraph,
// if that has nothing else in it (what cherry-pick adds aside), by key. What looks like a trailer
// in the middle of a message is quotation and does not count, nor does a subject.
func trailers(message string) map[string][]string {
	message = strings.TrimRight(strings.ReplaceAll(message, "\r\n", "\n"), " \t\n")
	lines := strings.Split(message, "\n")
	first := len(lines)
	for first > 0 && strings.TrimSpace(lines[first-1]) != "" {
		first--
	}
	if first == 0 {
		return nil
	}
	found := map[string][]string{}
	last := ""
	for _, line := range lines[first:] {
		m := trailerLine.FindStringSubmatch(line)
		switch {
		case m != nil:
			last = m[1]
			found[last] = append(found[last], strings.TrimSpace(m[2]))
		case last != "" && (line[0] == ' ' || line[0] == '\t'):
			values := found[last]
			values[len(values)-1] += " " + strings.TrimSpace(line)
		case strings.HasPrefix(line, "(cherry picked from commit "):
		default:
			return nil
		}
	}
	return found
}

// isOurs says whether a commit is a revert that Belay wrote.
func isOurs(message string) bool { return len(trailers(message)[trailerKey]) > 0 }

// forbidsRevert says whether a commit asks to be left alone.
func forbidsRevert(message string) bool {
	for key, values := range trailers(message) {
		if !strings.EqualFold(key, trailerNoAuto) {
			continue
		}
		for _, value := range values {
			if strings.EqualFold(value, "true") || strings.EqualFold(value, "yes") {
				return true
			}
		}
	}
	return false
}
