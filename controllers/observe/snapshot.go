package observe

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Snapshot is what an attempt runs on: the Rollout and its templates as they were at its start.
type Snapshot struct {
	Spec    v1alpha1.RolloutSpec `json:"spec"`
	Metrics []v1alpha1.Metric    `json:"metrics,omitempty"`
	Args    map[string]string    `json:"args,omitempty"`
}

// Encode gives the text that is stored, and its digest (hex, 32 digits). The parts of a Rollout that apply at once
// (suspend, git) are left out of the digest, so that changing them is no edit.
func (s Snapshot) Encode() (text, digest string, err error) {
	s.Spec.Suspend = false
	raw, err := json.Marshal(s)
	if err != nil {
		return "", "", fmt.Errorf("writing the snapshot: %w", err)
	}
	named := s
	named.Spec.Git = nil
	rawNamed, err := json.Marshal(named)
	if err != nil {
		return "", "", fmt.Errorf("writing the snapshot: %w", err)
	}
	sum := sha256.Sum256(rawNamed)
	return string(raw), hex.EncodeToString(sum[:16]), nil
}

// DecodeSnapshot reads what Encode wrote.
func DecodeSnapshot(text string) (Snapshot, error) {
	var s Snapshot
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return Snapshot{}, fmt.Errorf("reading the snapshot of the attempt: %w", err)
	}
	return s, nil
}
