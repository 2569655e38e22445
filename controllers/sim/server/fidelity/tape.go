package fidelity

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// tape is what a side answered.
type tape struct {
	// entries are a call and its answer each: the object whole the first time, later what differs from the answer before
	// about the same object.
	entries []string
	masks   masks
	last    map[string]map[string]any
}

func newTape() *tape { return &tape{masks: newMasks(), last: map[string]map[string]any{}} }

func (t *tape) say(call string, answer ...string) {
	entry := t.masks.apply(call)
	for _, line := range answer {
		entry += "\n  " + t.masks.apply(line)
	}
	t.entries = append(t.entries, entry)
}

// object writes an answer. Topic is what the answers before it were about, if they were about the same.
func (t *tape) object(call, topic string, o *unstructured.Unstructured) {
	t.masks.learn(o)
	content, err := t.masked(o)
	if err != nil {
		t.say(call, err.Error())
		return
	}
	before := t.last[topic]
	t.last[topic] = content
	switch lines := differences("", before, content); {
	case before == nil || text(before["metadata"], "uid") != text(content["metadata"], "uid"):
		t.say(call, whole(content)...)
	case len(lines) == 0:
		t.say(call, "the same")
	default:
		t.say(call, lines...)
	}
}

// topicOf is an object's place.
func topicOf(o *unstructured.Unstructured) string {
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}

// masked is an object without what is a server's own. Owners have names here, for their order is that of the seconds that
// passed between calls.
func (t *tape) masked(o *unstructured.Unstructured) (map[string]any, error) {
	o = o.DeepCopy()
	owners := map[string]any{}
	list, _, _ := unstructured.NestedSlice(o.Object, "metadata", "managedFields")
	for _, entry := range list {
		e, _ := entry.(map[string]any)
		name := strings.TrimSpace(fmt.Sprintf("%v (%v) %v", e["manager"], e["operation"], text(e, "subresource")))
		if owners[name] != nil {
			name += " again, of " + text(e, "apiVersion")
		}
		owners[name] = map[string]any{"fields": e["fieldsV1"], "time": e["time"], "apiVersion": e["apiVersion"], "fieldsType": e["fieldsType"]}
	}
	o.SetManagedFields(nil)
	if len(owners) > 0 {
		if err := unstructured.SetNestedMap(o.Object, owners, "metadata", "owners"); err != nil {
			return nil, err
		}
	}
	raw, err := json.Marshal(o.Object)
	if err != nil {
		return nil, err
	}
	var content map[string]any
	err = json.Unmarshal([]byte(t.masks.apply(string(raw))), &content)
	return content, err
}

func text(in any, field string) string {
	m, _ := in.(map[string]any)
	s, _ := m[field].(string)
	return s
}

// refusal writes all that a client may look at.
func (t *tape) refusal(call string, err error) {
	s, ok := status(err)
	if !ok {
		t.say(call, "fails: "+err.Error())
		return
	}
	message := s.Message
	var lines []string
	if d := s.Details; d != nil {
		for _, c := range d.Causes {
			lines = append(lines, fmt.Sprintf("  %s %s: %s", c.Type, c.Field, short(c.Message)))
		}
		slices.Sort(lines)
		lines = slices.Compact(lines)
		if before, _, invalid := strings.Cut(message, " is invalid: "); invalid && len(lines) > 0 {
			message = before + " is invalid:" // the message has no more than the causes, in an order of chance
		}
		lines = append([]string{fmt.Sprintf("  about %q %q %q, again after %d s", d.Group, d.Kind, d.Name, d.RetryAfterSeconds)}, lines...)
	}
	t.say(call, append([]string{fmt.Sprintf("refused, %d %q: %s", s.Code, s.Reason, message)}, lines...)...)
}

// short leaves out whole objects of the server's own making.
func short(message string) string {
	const end = `}": `
	if before, after, found := strings.Cut(message, `Invalid value: "{`); found && strings.Contains(after, "apiVersion") {
		return before + "Invalid value: what came of the patch: " + after[strings.LastIndex(after, end)+len(end):]
	}
	if before, _, found := strings.Cut(message, "pod updates may not change"); found {
		return before + "pod updates may not change some fields"
	}
	return message
}
