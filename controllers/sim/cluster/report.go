package cluster

import "maps"

// status of a Deployment.
type status struct {
	replicas, updated, ready, available int32
}

func (r *roll) status() status {
	var out status
	for _, s := range r.sets() {
		out.replicas += s.status.present
		out.ready += s.status.ready
		out.available += s.status.available
	}
	if fresh := r.fresh(); fresh != nil {
		out.updated = fresh.status.present
	}
	return out
}

// complete says that all pods are of the present template and available.
func (r *roll) complete() bool {
	n := r.d.replicas
	return r.status() == status{n, n, r.status().ready, n}
}

// report writes the Deployment's status and its revision, where they are not what is stored. The real controller, too,
// writes that annotation together with the status.
func (r *roll) report() error {
	stored := part(r.d.object.Object, "status")
	now := r.status()
	next := fields{"observedGeneration": r.d.generation}
	for name, n := range map[string]int32{
		"replicas": now.replicas, "updatedReplicas": now.updated, "readyReplicas": now.ready,
		"availableReplicas": now.available, "unavailableReplicas": max(0, wanted(r.sets())-now.available),
		"collisionCount": number(stored, "collisionCount"),
	} {
		if n != 0 {
			next[name] = int64(n)
		}
	}
	conditions := r.conditions(now)
	same := maps.EqualFunc(next, without(stored, "conditions"), func(a, b any) bool { return a == b })
	numbered := r.revision == "" || r.revision == r.d.annotations[revisionKey]
	if same && numbered && told(stored) == told(fields{"conditions": conditions}) {
		return nil
	}
	next["conditions"] = conditions
	object := edited(r.d.object, next, "status")
	if !numbered {
		object = edited(object, r.revision, "metadata", "annotations", revisionKey)
	}
	return r.w.status(object)
}

// conditions are those that other tools go by. Progress has no deadline here.
func (r *roll) conditions(now status) []any {
	enough := fields{"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"}
	if now.available >= r.d.replicas-r.d.missing {
		enough = fields{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}
	}
	progress := fields{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}
	switch {
	case r.d.paused:
		progress = fields{"type": "Progressing", "status": "Unknown", "reason": "DeploymentPaused"}
	case r.complete():
		progress = fields{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
	}
	var out []any
	for _, condition := range []fields{enough, progress} {
		since := stamp(r.c.schedule.Now())
		condition["lastUpdateTime"], condition["lastTransitionTime"], condition["message"] = since, since, ""
		for _, stored := range list(r.d.object.Object, "status", "conditions") {
			if stored["type"] == condition["type"] && stored["status"] == condition["status"] {
				condition["lastTransitionTime"] = stored["lastTransitionTime"]
			}
		}
		out = append(out, condition)
	}
	return out
}

// told is what conditions say, their times aside.
func told(status fields) (out string) {
	for _, condition := range list(status, "conditions") {
		out += text(condition, "type") + text(condition, "status") + text(condition, "reason") + " "
	}
	return out
}

func without(f fields, key string) fields {
	out := maps.Clone(f)
	delete(out, key)
	return out
}
