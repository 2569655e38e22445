package command

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/cmd/kubectl-belay/backtest"
)

// manifests are what is in the files: one Rollout, and templates by their kind and name.
type manifests struct {
	rollout   *v1alpha1.Rollout
	templates map[v1alpha1.TemplateReference]v1alpha1.AnalysisTemplateSpec
}

// planFrom reads the files, and from the cluster what they do not hold.
func planFrom(ctx context.Context, s *session, files []string) (*backtest.Plan, error) {
	m := manifests{templates: map[v1alpha1.TemplateReference]v1alpha1.AnalysisTemplateSpec{}}
	for _, file := range files {
		if err := m.file(s, file); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	if m.rollout == nil {
		return nil, errors.New("there is no Rollout in the files: give the one to test with -f")
	}
	if m.rollout.Namespace == "" {
		namespace, _, err := s.flags.ToRawKubeConfigLoader().Namespace()
		if err != nil {
			return nil, err
		}
		m.rollout.Namespace = namespace
	}
	var specs []v1alpha1.AnalysisTemplateSpec
	if a := m.rollout.Spec.Analysis; a != nil {
		for _, ref := range a.Templates {
			spec, err := m.template(ctx, s, ref)
			if err != nil {
				return nil, err
			}
			specs = append(specs, spec)
		}
	}
	m.history(ctx, s)
	return backtest.PlanOf(m.rollout, specs)
}

// history of the Rollout in the cluster, where the file has none and the cluster tells: it is a help and no condition.
func (m *manifests) history(ctx context.Context, s *session) {
	if len(m.rollout.Status.History) > 0 {
		return
	}
	c, _, err := s.connect()
	if err != nil {
		return
	}
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var stored v1alpha1.Rollout
	if err := c.Get(ctx, client.ObjectKeyFromObject(m.rollout), &stored); err == nil {
		m.rollout.Status.History = stored.Status.History
	}
}

func (m *manifests) file(s *session, name string) error {
	in := s.env.Streams.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(in))
	for {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := m.document(text); err != nil {
			return err
		}
	}
}

// document takes what belongs to a back test; manifests of other kinds may stand beside it.
func (m *manifests) document(text []byte) error {
	var head struct {
		APIVersion, Kind string
		Metadata         struct{ Name string }
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	if err := yaml.Unmarshal(text, &head); err != nil {
		return err
	}
	if head.APIVersion != v1alpha1.GroupVersion.String() {
		return nil
	}
	switch head.Kind {
	case "Rollout":
		if m.rollout != nil {
			return fmt.Errorf("Rollout %s is the second one, after %s: one at a time", head.Metadata.Name, m.rollout.Name)
		}
		m.rollout = &v1alpha1.Rollout{}
		if err := yaml.UnmarshalStrict(text, m.rollout); err != nil {
			return fmt.Errorf("Rollout %s: %w", head.Metadata.Name, err)
		}
	case "AnalysisTemplate", "ClusterAnalysisTemplate":
		var template v1alpha1.AnalysisTemplate
		if err := yaml.UnmarshalStrict(text, &template); err != nil {
			return fmt.Errorf("%s %s: %w", head.Kind, head.Metadata.Name, err)
		}
		m.templates[v1alpha1.TemplateReference{Name: template.Name, Kind: head.Kind}] = template.Spec
	}
	return nil
}

func (m *manifests) template(ctx context.Context, s *session, ref v1alpha1.TemplateReference) (v1alpha1.AnalysisTemplateSpec, error) {
	if ref.Kind == "" {
		ref.Kind = "AnalysisTemplate"
	}
	if spec, given := m.templates[ref]; given {
		return spec, nil
	}
	c, _, err := s.connect()
	if err == nil {
		key := types.NamespacedName{Name: ref.Name}
		if ref.Kind == "ClusterAnalysisTemplate" {
			var t v1alpha1.ClusterAnalysisTemplate
			err = c.Get(ctx, key, &t)
			m.templates[ref] = t.Spec
		} else {
			var t v1alpha1.AnalysisTemplate
			key.Namespace = m.rollout.Namespace
			err = c.Get(ctx, key, &t)
			m.templates[ref] = t.Spec
		}
	}
	switch {
	case err == nil:
		return m.templates[ref], nil
	case apierrors.IsNotFound(err):
		return v1alpha1.AnalysisTemplateSpec{}, fmt.Errorf("%s %s is neither in the files nor in the cluster: give it with -f", ref.Kind, ref.Name)
	}
	return v1alpha1.AnalysisTemplateSpec{}, fmt.Errorf("%s %s is not in the files (give it with -f), and the cluster cannot be asked: %w", ref.Kind, ref.Name, err)
}
