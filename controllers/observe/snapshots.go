package observe

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// snapshots remembers of each Rollout the texts of the last round: the snapshot that an attempt would take now, and the one
// that was taken. Both are looked at in every round and hardly ever change, and taking the digest of one costs more than all
// else that is done with it.
//
// What is known of a text is kept beside the text itself, and not beside a version or a generation of the objects that it
// came from: the API server fills in defaults when an object is read, so that the same generation may say something else after
// an upgrade.
type snapshots struct {
	mu   sync.Mutex
	last map[types.NamespacedName]texts
}

type texts struct {
	live, liveDigest string
	// stored is a text that has the digest, and started is what it says.
	stored, storedDigest string
	started              Snapshot
}

// encode is Snapshot.Encode.
func (c *snapshots) encode(key types.NamespacedName, s Snapshot) (text, digest string, err error) {
	raw, err := s.write()
	if err != nil {
		return "", "", err
	}
	if known := c.of(key); known.live == string(raw) {
		return known.live, known.liveDigest, nil
	}
	if _, digest, err = canonical(raw); err != nil {
		return "", "", err
	}
	text = string(raw)
	c.change(key, func(known *texts) { known.live, known.liveDigest = text, digest })
	return text, digest, nil
}

// decode is the function of that name. Only what is intact is remembered.
func (c *snapshots) decode(key types.NamespacedName, text, digest string) (Snapshot, bool) {
	if text == "" {
		return Snapshot{}, false
	}
	if known := c.of(key); known.stored == text && known.storedDigest == digest {
		return known.started.copy(), true
	}
	started, intact := decode(text, digest)
	if intact {
		kept := started.copy()
		c.change(key, func(known *texts) { known.stored, known.storedDigest, known.started = text, digest, kept })
	}
	return started, intact
}

func (c *snapshots) of(key types.NamespacedName) texts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last[key]
}

func (c *snapshots) change(key types.NamespacedName, change func(*texts)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.last[key]
	change(&known)
	if c.last == nil {
		c.last = map[types.NamespacedName]texts{}
	}
	c.last[key] = known
}

func (c *snapshots) forget(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.last, key)
}
