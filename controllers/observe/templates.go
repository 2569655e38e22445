package observe

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// templates reads the templates of the analysis and merges them with the inline metrics and arguments.
func (o *Observer) templates(ctx context.Context, s *Scene, live *Snapshot) error {
	a := live.Spec.Analysis
	if a == nil {
		return nil
	}
	var specs []v1alpha1.AnalysisTemplateSpec
	for _, ref := range a.Templates {
		spec, err := o.template(ctx, s.Namespace, ref)
		if apierrors.IsNotFound(err) {
			s.problem("TemplateMissing", "spec.analysis.templates: %s %q does not exist: create it, or correct the name", kindOf(ref), ref.Name)
			return nil
		}
		if err != nil {
			return err
		}
		specs = append(specs, spec)
	}
	metrics, args, err := analysis.Resolve(a, specs)
	if err != nil {
		s.problem("InvalidAnalysis", "spec.analysis: %s", oneLine(err))
		return nil
	}
	live.Metrics, live.Args = metrics, args
	return nil
}

func kindOf(ref v1alpha1.TemplateReference) string {
	if ref.Kind == "" {
		return "AnalysisTemplate"
	}
	return ref.Kind
}

func (o *Observer) template(ctx context.Context, namespace string, ref v1alpha1.TemplateReference) (v1alpha1.AnalysisTemplateSpec, error) {
	if ref.Kind == "ClusterAnalysisTemplate" {
		var t v1alpha1.ClusterAnalysisTemplate
		err := o.Reader.Get(ctx, client.ObjectKey{Name: ref.Name}, &t)
		return t.Spec, err
	}
	var t v1alpha1.AnalysisTemplate
	err := o.Reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: ref.Name}, &t)
	return t.Spec, err
}
