package fidelity

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// tape is what a side answered.
type tape struct {
	lines []string
	// seen replaces what is a server's own by its kind and the order in which it was first seen.
	seen map[string]string
	// versions are numbers, so they are looked for in some places only.
	versions map[string]string
	count    map[string]int
	// bases of names that the server makes up the rest of.
	bases []string
}

func newTape() tape {
	return tape{seen: map[string]string{}, versions: map[string]string{}, count: map[string]int{}}
}

func (t *tape) say(line string) { t.lines = append(t.lines, t.mask(line)) }

// object writes an answer whole.
func (t *tape) object(what string, o *unstructured.Unstructured) {
	t.learn(o)
	o = o.DeepCopy()
	// Their order is that of seconds that passed between the calls.
	fields := o.GetManagedFields()
	slices.SortFunc(fields, func(a, b metav1.ManagedFieldsEntry) int {
		return strings.Compare(fmt.Sprint(a.Operation, a.Manager, a.APIVersion, a.Subresource), fmt.Sprint(b.Operation, b.Manager, b.APIVersion, b.Subresource))
	})
	o.SetManagedFields(fields)
	text, err := json.Marshal(o.Object)
	if err != nil {
		t.say(what + ": " + err.Error())
		return
	}
	t.say(what + ": " + sorted(t.mask(string(text))))
}

// sorted orders an object's keys once more: some have a server's own in them.
func sorted(text string) string {
	var object map[string]any
	if json.Unmarshal([]byte(text), &object) != nil {
		return text
	}
	ordered, err := json.Marshal(object)
	if err != nil {
		return text
	}
	return string(ordered)
}

// refusal writes all that a client may look at.
func (t *tape) refusal(what string, err error) {
	s, ok := status(err)
	if !ok {
		t.say(what + ": fails: " + err.Error())
		return
	}
	message, details := s.Message, ""
	if d := s.Details; d != nil {
		var causes []string
		for _, c := range d.Causes {
			causes = append(causes, fmt.Sprintf("%s %s: %s", c.Type, c.Field, short(c.Message)))
		}
		slices.Sort(causes)
		causes = slices.Compact(causes)
		if before, _, invalid := strings.Cut(message, " is invalid: "); invalid && len(causes) > 0 {
			message = before + " is invalid" // the message has no more than the causes, in an order of chance
		}
		details = fmt.Sprintf(" [%s %s %s %d] %s", d.Group, d.Kind, d.Name, d.RetryAfterSeconds, strings.Join(causes, "; "))
	}
	t.say(fmt.Sprintf("%s: refused, %d %s: %s%s", what, s.Code, s.Reason, message, details))
}

// short leaves out whole objects of the server's own making.
func short(message string) string {
	message = patched.ReplaceAllString(message, "Invalid value: <what came of the patch>: ")
	if before, _, found := strings.Cut(message, "pod updates may not change"); found {
		return before + "pod updates may not change some fields"
	}
	return message
}

// learn notes what of an object another server has otherwise.
func (t *tape) learn(o *unstructured.Unstructured) {
	t.note(t.seen, "uid", string(o.GetUID()))
	t.note(t.versions, "version", o.GetResourceVersion())
	if address, _, _ := unstructured.NestedString(o.Object, "spec", "clusterIP"); address != "None" {
		t.note(t.seen, "address", address)
	}
}

func (t *tape) note(in map[string]string, kind, value string) {
	if value == "" || in[value] != "" {
		return
	}
	t.count[kind]++
	in[value] = fmt.Sprintf("<%s %d>", kind, t.count[kind])
}

var (
	moment  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	token   = regexp.MustCompile(`[A-Za-z0-9.-]+`)
	patched = regexp.MustCompile(`(?s)Invalid value: "\{"?apiVersion.*\}": |(?s)Invalid value: "\{\\"apiVersion.*\}": `)
	// version is where numbers are versions: anywhere else they are what they are.
	version = regexp.MustCompile(`("resourceVersion":"|ResourceVersion in (?:the precondition|record) \(|ResourceVersion: )(\d+)`)
)

// mask replaces what was noted.
func (t *tape) mask(line string) string {
	line = moment.ReplaceAllString(line, "<time>")
	line = version.ReplaceAllStringFunc(line, func(match string) string {
		parts := version.FindStringSubmatch(match)
		return parts[1] + t.versions[parts[2]]
	})
	for _, base := range t.bases {
		line = regexp.MustCompile(regexp.QuoteMeta(base)+`[bcdfghjklmnpqrstvwxz2456789]{5}\b`).ReplaceAllString(line, base+"<suffix>")
	}
	return token.ReplaceAllStringFunc(line, func(word string) string {
		if as := t.seen[word]; as != "" {
			return as
		}
		return word
	})
}
