package cluster

import (
	"math"
	"slices"
	"strconv"
)

// resized says that the Deployment's size is not what its ReplicaSets were sized for.
func (r *roll) resized() bool {
	desired, _ := r.sizes()
	return slices.ContainsFunc(active(r.sets()), func(s *replicaSet) bool {
		was := text(s.object.Object, "metadata", "annotations", desiredKey)
		_, err := strconv.Atoi(was)
		return err == nil && was != desired
	})
}

// resize is what is done for a Deployment that is paused or was given another size: no new ReplicaSet is made and nothing
// rolls. But a new one that is there already and complete ends the old ones, paused or not.
func (r *roll) resize() error {
	if err := r.number(); err != nil {
		return err
	}
	if err := r.spread(); err != nil {
		return err
	}
	if r.d.paused {
		return r.forget()
	}
	return nil
}

func (r *roll) spread() error {
	if only := r.only(); only != nil {
		return r.size(only, r.d.replicas, false)
	}
	if r.saturated() {
		for _, s := range active(r.old()) {
			if err := r.size(s, 0, false); err != nil {
				return err
			}
		}
		return nil
	}
	if r.d.recreate {
		return nil
	}
	return r.proportional()
}

// only is the one ReplicaSet that is to have all pods: the one that has pods, or the newest where none has; nil: several
// have, or there is none.
func (r *roll) only() *replicaSet {
	sets := r.sets()
	switch with := active(sets); {
	case len(with) == 1:
		return with[0]
	case len(with) > 1 || len(sets) == 0:
		return nil
	}
	if fresh := r.fresh(); fresh != nil {
		return fresh
	}
	return sets[len(sets)-1]
}

// saturated says that the new ReplicaSet has all pods, that all are available, and that it was sized for this size.
func (r *roll) saturated() bool {
	fresh, n := r.fresh(), r.d.replicas
	if fresh == nil {
		return false
	}
	desired, err := strconv.Atoi(text(fresh.object.Object, "metadata", "annotations", desiredKey))
	return err == nil && int32(desired) == n && fresh.replicas == n && fresh.status.available == n
}

// proportional spreads what is to be added or taken over all ReplicaSets with pods, the largest first.
func (r *roll) proportional() error {
	sets := active(r.sets())
	if len(sets) == 0 {
		return nil
	}
	goal := int32(0)
	if r.d.replicas > 0 {
		goal = r.d.replicas + r.d.surge
	}
	add := goal - wanted(sets)
	slices.SortStableFunc(sets, func(a, b *replicaSet) int {
		switch {
		case a.replicas != b.replicas:
			return int(b.replicas - a.replicas)
		case add > 0:
			return byAge(b, a)
		}
		return byAge(a, b)
	})
	sizes, added := make([]int32, len(sets)), int32(0)
	for i, s := range sets {
		share := r.share(s, add, added)
		sizes[i] = s.replicas + share
		added += share
	}
	sizes[0] = max(0, sizes[0]+add-added)
	for i, s := range sets {
		if err := r.size(s, sizes[i], true); err != nil {
			return err
		}
	}
	return nil
}

// share is what one ReplicaSet gets of what is added, or gives of what is taken, as its part of the pods was when it was
// sized last.
func (r *roll) share(s *replicaSet, add, added int32) int32 {
	if add == added {
		return 0
	}
	part := -s.replicas
	if r.d.replicas > 0 {
		before, err := strconv.Atoi(text(s.object.Object, "metadata", "annotations", maxKey))
		if err != nil || before == 0 {
			before = int(number(r.d.object.Object, "status", "replicas"))
		}
		if before == 0 {
			return 0
		}
		grown := float64(s.replicas*(r.d.replicas+r.d.surge)) / float64(before)
		part = int32(math.Round(grown)) - s.replicas
	}
	if add > 0 {
		return min(part, add-added)
	}
	return max(part, add-added)
}
