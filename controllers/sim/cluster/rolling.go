package cluster

import (
	"slices"
	"strconv"
)

// advance moves a rolling update by one step: up if there is room, else down if enough pods are available.
func (r *roll) advance() error {
	if err := r.renew(); err != nil {
		return err
	}
	fresh := r.fresh()
	size := r.d.replicas
	if fresh.replicas < size {
		size = r.room(fresh.replicas)
	}
	if fresh.replicas != size {
		return r.size(fresh, size, false)
	}
	moved, err := r.shrink()
	if err != nil || moved {
		return err
	}
	return r.forgetIfComplete()
}

// renew makes the new ReplicaSet, or brings its annotations up to date.
func (r *roll) renew() error {
	if r.fresh() == nil {
		return r.make()
	}
	return r.number()
}

// shrink takes pods from old ReplicaSets: first those that are not available, then as many as can be missed.
func (r *roll) shrink() (moved bool, err error) {
	old := active(r.old())
	if len(old) == 0 {
		return false, nil
	}
	fresh := r.fresh()
	least := r.d.replicas - r.d.missing
	spare := wanted(r.sets()) - least - (fresh.replicas - fresh.status.available)
	if spare <= 0 {
		return false, nil
	}
	for _, s := range old {
		if broken := min(spare, s.replicas-s.status.available); broken > 0 {
			if err := r.size(s, s.replicas-broken, false); err != nil {
				return moved, err
			}
			spare -= broken
			moved = true
		}
	}
	spare = available(r.sets()) - least
	for _, s := range active(r.old()) {
		if less := min(spare, s.replicas); less > 0 {
			if err := r.size(s, s.replicas-less, false); err != nil {
				return moved, err
			}
			spare -= less
			moved = true
		}
	}
	return moved, nil
}

// recreate ends all old pods before it makes the first new one.
func (r *roll) recreate() error {
	old := r.old()
	for _, s := range active(old) {
		if err := r.size(s, 0, false); err != nil {
			return err
		}
	}
	for _, s := range old {
		if len(r.c.pods.in(s.name.Namespace, func(p *pod) bool { return p.controller == s.uid })) > 0 {
			return nil
		}
	}
	if err := r.renew(); err != nil {
		return err
	}
	if err := r.size(r.fresh(), r.d.replicas, false); err != nil {
		return err
	}
	return r.forgetIfComplete()
}

// size gives a ReplicaSet a size; always says that its annotations are brought up to date even where the size is the same.
func (r *roll) size(s *replicaSet, replicas int32, always bool) error {
	desired, most := r.sizes()
	annotations := part(s.object.Object, "metadata", "annotations")
	same := annotations[desiredKey] == desired && annotations[maxKey] == most
	if s.replicas == replicas && (!always || same) {
		return nil
	}
	object := edited(s.object, merged(annotations, fields{desiredKey: desired, maxKey: most}), "metadata", "annotations")
	return r.update(edited(object, int64(replicas), "spec", "replicas"))
}

func (r *roll) forgetIfComplete() error {
	if !r.complete() {
		return nil
	}
	return r.forget()
}

// forget deletes empty ReplicaSets beyond the Deployment's limit, those with the lowest revisions first.
func (r *roll) forget() error {
	if at(r.d.object.Object, "spec", "revisionHistoryLimit") == nil {
		return nil
	}
	old := slices.DeleteFunc(r.old(), func(s *replicaSet) bool { return s.deleting })
	slices.SortStableFunc(old, func(a, b *replicaSet) int { return revisionOf(a) - revisionOf(b) })
	for _, s := range old[:max(0, len(old)-int(number(r.d.object.Object, "spec", "revisionHistoryLimit")))] {
		if s.status.present != 0 || s.replicas != 0 || s.generation > s.status.observed {
			continue
		}
		if err := r.w.remove(s.object); err != nil {
			return err
		}
	}
	return nil
}

func revisionOf(s *replicaSet) int {
	n, _ := strconv.Atoi(text(s.object.Object, "metadata", "annotations", revisionKey))
	return n
}
