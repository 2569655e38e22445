package deployment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/workloads"
)

// family is a Deployment with all ReplicaSets that its selector matches, the oldest first.
type family struct {
	target     workloads.Target
	deployment *unstructured.Unstructured
	template   map[string]any
	members    []member
}

// member is one ReplicaSet.
type member struct {
	object   *unstructured.Unstructured
	revision workloads.Revision
	// leaving: it is being deleted.
	leaving bool
}

func readFamily(ctx context.Context, r client.Reader, t workloads.Target, d *unstructured.Unstructured) (*family, error) {
	selector, err := selectorOf(d)
	if err != nil {
		return nil, err
	}
	matching, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return nil, fmt.Errorf("spec.selector of Deployment %s: %w", t.Name, err)
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(replicaSetKind.GroupVersion().WithKind("ReplicaSetList"))
	err = r.List(ctx, list, client.InNamespace(t.Namespace), client.MatchingLabelsSelector{Selector: matching})
	if err != nil {
		return nil, fmt.Errorf("listing the ReplicaSets of Deployment %s: %w", t.Name, err)
	}
	f := &family{target: t, deployment: d, template: templateOf(d)}
	for i := range list.Items {
		f.members = append(f.members, f.memberOf(&list.Items[i]))
	}
	// As the Deployment's controller sorts them.
	slices.SortFunc(f.members, func(a, b member) int {
		if order := a.revision.Created.Compare(b.revision.Created); order != 0 {
			return order
		}
		return strings.Compare(a.revision.Name, b.revision.Name)
	})
	return f, nil
}

func selectorOf(d *unstructured.Unstructured) (*metav1.LabelSelector, error) {
	stored, _, _ := unstructured.NestedFieldNoCopy(d.Object, "spec", "selector")
	fields, _ := stored.(map[string]any)
	selector := &metav1.LabelSelector{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, selector); err != nil {
		return nil, fmt.Errorf("spec.selector of Deployment %s: %w", d.GetName(), err)
	}
	return selector, nil
}

func (f *family) memberOf(rs *unstructured.Unstructured) member {
	template := templateOf(rs)
	controller := metav1.GetControllerOfNoCopy(rs)
	current := equal(template, f.template)
	return member{
		object:  rs,
		leaving: rs.GetDeletionTimestamp() != nil,
		revision: workloads.Revision{
			Name:            rs.GetName(),
			Hash:            rs.GetLabels()[hashKey],
			Image:           firstImage(template),
			Labels:          podLabels(template),
			Exists:          true,
			ResourceVersion: rs.GetResourceVersion(),
			Replicas:        replicasOf(rs),
			Present:         statusOf(rs, "replicas"),
			Ready:           statusOf(rs, "readyReplicas"),
			Available:       statusOf(rs, "availableReplicas"),
			Owned:           controller != nil && controller.UID == f.deployment.GetUID(),
			Ours:            controller != nil && controller.UID == types.UID(f.target.RolloutUID),
			Current:         current,
			Alike:           current || f.alike(template),
			CalledOff:       rs.GetAnnotations()[v1alpha1.AnnotationCalledOff],
			Created:         rs.GetCreationTimestamp().Time,
		},
	}
}

// alike: the template differs from the present one in nothing that is a release.
func (f *family) alike(template map[string]any) bool {
	ignored := f.ignored()
	return equal(without(template, ignored), without(f.template, ignored))
}

// ignored are the template annotations whose change is no release.
func (f *family) ignored() []string {
	keys, ok := f.deployment.GetAnnotations()[v1alpha1.AnnotationIgnore]
	if !ok {
		keys = ignoredByDefault
	}
	return strings.Split(keys, ",")
}

// find gives a member by name, nil if there is none.
func (f *family) find(name string) *member {
	for i := range f.members {
		if f.members[i].revision.Name == name {
			return &f.members[i]
		}
	}
	return nil
}

// candidate is the ReplicaSet that carries, or would carry, the present template.
func (f *family) candidate() (workloads.Revision, error) {
	// Ordered by what the Deployment's controller would do if the hold ended now: use its own equal one. Then ours with
	// pods, because an attempt is not to change horses. Then whatever can be taken over, the oldest.
	for _, fits := range []func(workloads.Revision) bool{
		func(r workloads.Revision) bool { return r.Owned && r.Replicas > 0 },
		func(r workloads.Revision) bool { return r.Ours && r.Replicas > 0 },
		func(r workloads.Revision) bool { return r.Owned || r.Ours },
	} {
		for _, m := range f.members {
			if m.revision.Current && !m.leaving && fits(m.revision) {
				return m.revision, nil
			}
		}
	}
	name, hash, err := nameFor(f.target.Name, f.template, func(name string) bool {
		m := f.find(name)
		return m != nil && !m.revision.Current
	})
	return workloads.Revision{
		Name: name, Hash: hash, Image: firstImage(f.template), Labels: podLabels(f.template), Current: true,
	}, err
}

// removeDoubles deletes the Deployment's own empty ReplicaSets that carry the present template beside the named one. One that
// carries another template has none: the present one may then be the stable revision, scaled to zero.
func (f *family) removeDoubles(ctx context.Context, w client.Writer, name string) error {
	if kept := f.find(name); kept == nil || !kept.revision.Current {
		return nil
	}
	for _, m := range f.members {
		r := m.revision
		if !r.Current || !r.Owned || r.Name == name || r.Replicas > 0 || r.Present > 0 || m.leaving {
			continue
		}
		if err := remove(ctx, w, m.object); err != nil {
			return err
		}
	}
	return nil
}
