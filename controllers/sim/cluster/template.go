package cluster

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/rand"
)

// Annotations of the Deployments' controller.
const (
	revisionKey = "deployment.kubernetes.io/revision"
	historyKey  = "deployment.kubernetes.io/revision-history"
	desiredKey  = "deployment.kubernetes.io/desired-replicas"
	maxKey      = "deployment.kubernetes.io/max-replicas"
	appliedKey  = "kubectl.kubernetes.io/last-applied-configuration"
)

// copied says that an annotation of a Deployment is given to its new ReplicaSet.
func copied(key string) bool {
	switch key {
	case revisionKey, historyKey, desiredKey, maxKey, appliedKey, "deprecated.deployment.rollback.to":
		return false
	}
	return true
}

// number gives the new ReplicaSet its annotations and the highest revision; the Deployment is to have the same number.
func (r *roll) number() error {
	fresh := r.fresh()
	if fresh == nil {
		return nil
	}
	annotations := words(fresh.object.Object, "metadata", "annotations")
	before := maps.Clone(annotations)
	r.annotate(annotations)
	if !maps.Equal(before, annotations) || int32(fresh.minReady.Seconds()) != r.d.minReady {
		object := edited(fresh.object, anything(annotations), "metadata", "annotations")
		return r.update(edited(object, int64(r.d.minReady), "spec", "minReadySeconds"))
	}
	r.revision = annotations[revisionKey]
	return nil
}

// annotate copies the Deployment's annotations and counts the revision up, where it is not the highest already.
func (r *roll) annotate(annotations map[string]string) {
	for key, value := range r.d.annotations {
		if copied(key) {
			annotations[key] = value
		}
	}
	highest := 0
	for _, s := range r.old() {
		n, _ := strconv.Atoi(text(s.object.Object, "metadata", "annotations", revisionKey))
		highest = max(highest, n)
	}
	was, had := annotations[revisionKey]
	if n, _ := strconv.Atoi(was); n <= highest {
		annotations[revisionKey] = strconv.Itoa(highest + 1)
		if had {
			annotations[historyKey] = strings.TrimPrefix(annotations[historyKey]+","+was, ",")
		}
	}
}

// make creates the ReplicaSet of the present template. A name that something else has is a collision: it is counted, and
// the next look takes another name.
func (r *roll) make() error {
	collisions := number(r.d.object.Object, "status", "collisionCount")
	digest := fnv.New32a()
	fmt.Fprintf(digest, "%s#%d", r.d.print, collisions)
	hash := rand.SafeEncodeString(fmt.Sprint(digest.Sum32()))
	err := r.w.create(r.newReplicaSet(hash))
	if apierrors.IsAlreadyExists(err) {
		return cmp.Or(r.w.status(edited(r.d.object, int64(collisions+1), "status", "collisionCount")), err)
	}
	if err != nil {
		return err
	}
	r.wrote = true
	return nil
}

func (r *roll) newReplicaSet(hash string) *unstructured.Unstructured {
	d := r.d
	spec := part(d.object.Object, "spec")
	template := with(part(spec, "template"), hash, "metadata", "labels", hashKey)
	annotations := map[string]string{}
	r.annotate(annotations)
	annotations[desiredKey], annotations[maxKey] = r.sizes()
	return &unstructured.Unstructured{Object: fields{
		"apiVersion": "apps/v1", "kind": replicaSetKind.Kind,
		"metadata": fields{
			"namespace": d.name.Namespace, "name": d.name.Name + "-" + hash,
			"labels": at(template, "metadata", "labels"), "annotations": anything(annotations),
			"ownerReferences": controlledBy(&unstructured.Unstructured{}, "apps/v1", deploymentKind.Kind, d.object),
		},
		"spec": fields{
			"replicas": int64(r.room(0)), "minReadySeconds": int64(d.minReady),
			"selector": with(part(spec, "selector"), hash, "matchLabels", hashKey), "template": template,
		},
	}}
}

// sizes are the annotations that tell how large the Deployment was when a ReplicaSet was sized.
func (r *roll) sizes() (desired, most string) {
	return strconv.Itoa(int(r.d.replicas)), strconv.Itoa(int(r.d.replicas + r.d.surge))
}

// room is the size that the new ReplicaSet may have next, given its present size.
func (r *roll) room(size int32) int32 {
	if r.d.recreate {
		return r.d.replicas
	}
	free := r.d.replicas + r.d.surge - wanted(r.sets())
	return size + max(0, min(free, r.d.replicas-size))
}
