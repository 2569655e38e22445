package server

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
)

// delete removes an object, or marks it when somebody has to do something before.
func (r *request) delete(ctx context.Context, o *metav1.DeleteOptions) (*version, error) {
	old := r.s.objects.version(r.key)
	if old == nil {
		return nil, apierrors.NewNotFound(r.k.groupResource(), r.key.Name)
	}
	if err := r.meant(old, o.Preconditions); err != nil {
		return nil, err
	}
	if _, err := r.admitted(ctx, admission.Delete, nil, old.object.Object); err != nil {
		return nil, err
	}
	next := editable(old.object.Object)
	m := metadata(next)
	graceful, pending := r.grace(next, o)
	if pending {
		return old, nil
	}
	propagate(m, o.PropagationPolicy)
	waits := length(m, "finalizers") > 0
	if !graceful && waits {
		r.mark(m)
	}
	if waits || (graceful && number(m, "deletionGracePeriodSeconds") > 0) {
		r.owners = old.owners
		return r.write(old, next, next)
	}
	if r.dryRun {
		return old, nil
	}
	if graceful {
		// What is ended at once is marked before: two versions.
		r.owners = old.owners
		var err error
		if old, err = r.write(old, next, next); err != nil {
			return nil, err
		}
	}
	r.s.drop(r, old)
	return old, nil
}

// meant checks the preconditions.
func (r *request) meant(old *version, p *metav1.Preconditions) error {
	if p == nil {
		return nil
	}
	why := ""
	uid, version := old.object.GetUID(), old.object.GetResourceVersion()
	switch {
	case p.UID != nil && *p.UID != uid:
		why = fmt.Sprintf("the UID in the precondition (%s) does not match the UID in record (%s). The object might have been deleted and then recreated", *p.UID, uid)
	case p.ResourceVersion != nil && *p.ResourceVersion != version:
		why = fmt.Sprintf("the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%s). The object might have been modified", *p.ResourceVersion, version)
	default:
		return nil
	}
	return apierrors.NewConflict(schema.GroupResource{Group: r.k.gvk.Group, Resource: r.k.gvk.Kind}, r.key.Name, fmt.Errorf("%s", why))
}

// grace gives whoever runs the object time to end it. Pending: it has that time already, and would not get less.
func (r *request) grace(next content, o *metav1.DeleteOptions) (graceful, pending bool) {
	if !r.k.graceful {
		return false, false
	}
	m := metadata(next)
	if text(m, "deletionTimestamp") != "" {
		return r.shorten(m, o.GracePeriodSeconds)
	}
	period := gracePeriod(next, o.GracePeriodSeconds)
	m["deletionTimestamp"] = r.s.now().UTC().Add(time.Duration(period) * time.Second).Format(time.RFC3339)
	m["deletionGracePeriodSeconds"] = period
	bump(m)
	return true, false
}

// shorten gives an object that is being deleted less time, never more.
func (r *request) shorten(m content, wanted *int64) (graceful, pending bool) {
	given := number(m, "deletionGracePeriodSeconds")
	switch {
	case given == 0:
		return false, false
	case wanted == nil || *wanted >= given:
		return false, true
	}
	period := max(*wanted, 0)
	if *wanted < 0 {
		period = 1
	}
	now := r.s.now().UTC()
	until, err := time.Parse(time.RFC3339, text(m, "deletionTimestamp"))
	if err != nil {
		until = now
	}
	until = until.Add(time.Duration(period-given) * time.Second)
	if until.Before(now) {
		until = now
		period = min(period, 1)
	}
	m["deletionTimestamp"], m["deletionGracePeriodSeconds"] = until.Format(time.RFC3339), period
	return true, false
}

// gracePeriod of a pod: nobody runs one that has no node or has ended.
func gracePeriod(pod content, wanted *int64) int64 {
	spec, _ := pod["spec"].(content)
	status, _ := pod["status"].(content)
	phase := text(status, "phase")
	period := number(spec, "terminationGracePeriodSeconds")
	if wanted != nil {
		period = *wanted
	}
	switch {
	case text(spec, "nodeName") == "" || phase == "Failed" || phase == "Succeeded":
		return 0
	case period < 0:
		return 1
	}
	return period
}

func bump(m content) {
	if generation := number(m, "generation"); generation > 0 {
		m["generation"] = generation + 1
	}
}

// mark says that an object is being deleted, with no time left but for finalizers.
func (r *request) mark(m content) {
	if text(m, "deletionTimestamp") == "" {
		bump(m)
		m["deletionTimestamp"] = r.s.now().UTC().Format(time.RFC3339)
	}
	m["deletionGracePeriodSeconds"] = int64(0)
}

// propagate puts the finalizers on that the garbage collector answers.
func propagate(m content, policy *metav1.DeletionPropagation) {
	if policy == nil {
		return
	}
	finalizers, _ := m["finalizers"].([]any)
	rest := slices.DeleteFunc(slices.Clone(finalizers), func(f any) bool {
		return f == metav1.FinalizerOrphanDependents || f == metav1.FinalizerDeleteDependents
	})
	switch *policy {
	case metav1.DeletePropagationOrphan:
		rest = append(rest, metav1.FinalizerOrphanDependents)
	case metav1.DeletePropagationForeground:
		rest = append(rest, metav1.FinalizerDeleteDependents)
	}
	put(m, "finalizers", rest, len(rest) > 0)
}
