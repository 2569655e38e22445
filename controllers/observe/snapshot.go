package observe

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Snapshot is what an attempt runs on: the Rollout and its templates as they were at its start.
type Snapshot struct {
	Spec    v1alpha1.RolloutSpec `json:"spec"`
	Metrics []v1alpha1.Metric    `json:"metrics,omitempty"`
	Args    map[string]string    `json:"args,omitempty"`
}

// Encode gives the text that is stored, and its digest (hex, 32 digits).
func (s Snapshot) Encode() (text, digest string, err error) {
	raw, err := s.write()
	if err != nil {
		return "", "", err
	}
	_, digest, err = canonical(raw)
	return string(raw), digest, err
}

func (s Snapshot) write() ([]byte, error) {
	s.Spec.Suspend = false
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("writing the snapshot: %w", err)
	}
	return raw, nil
}

// copy shares nothing with the snapshot.
func (s Snapshot) copy() Snapshot {
	out := Snapshot{Spec: *s.Spec.DeepCopy(), Metrics: slices.Clone(s.Metrics), Args: maps.Clone(s.Args)}
	for i := range out.Metrics {
		s.Metrics[i].DeepCopyInto(&out.Metrics[i])
	}
	return out
}

// canonical is the one form of what a stored snapshot says, and its digest. The parts of a Rollout that apply at once
// (suspend, git) are left out, so that changing them is no edit. It is taken from the text and not from the types, so
// that a controller with newer types finds the snapshots of an older one unchanged.
func canonical(text []byte) (form []byte, digest string, err error) {
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, "", fmt.Errorf("reading the snapshot: %w", err)
	}
	if spec, ok := tree["spec"].(map[string]any); ok {
		delete(spec, "suspend")
		delete(spec, "git")
	}
	if form, err = json.Marshal(tree); err != nil {
		return nil, "", fmt.Errorf("writing the snapshot: %w", err)
	}
	sum := sha256.Sum256(form)
	return form, hex.EncodeToString(sum[:16]), nil
}

// decode reads what Encode wrote. It trusts nothing: a text that does not have the digest is no snapshot, whatever the
// object says of itself. It reads the form that has the digest: in a text with a key twice, another reader could find
// something else.
func decode(text, digest string) (Snapshot, bool) {
	form, found, err := canonical([]byte(text))
	if err != nil || found != digest {
		return Snapshot{}, false
	}
	var s Snapshot
	if err := json.Unmarshal(form, &s); err != nil {
		return Snapshot{}, false
	}
	s.Spec.Suspend, s.Spec.Git = false, nil // "Git" is a key of another name to canonical, and the same to the decoder
	return s, true
}
