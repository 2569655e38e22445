package admission

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// manifests are what the documents declare, by kind.
type manifests struct {
	mutating           []*admissionregistrationv1.MutatingAdmissionPolicy
	mutatingBindings   []*admissionregistrationv1.MutatingAdmissionPolicyBinding
	validating         []*admissionregistrationv1.ValidatingAdmissionPolicy
	validatingBindings []*admissionregistrationv1.ValidatingAdmissionPolicyBinding
}

// Compile reads manifests, each of any number of YAML documents, and compiles the policies among them. An error names the
// policy or binding, and the part of it that is wrong.
func Compile(documents ...[]byte) (*Policies, error) {
	m, err := read(documents)
	if err != nil {
		return nil, err
	}
	in, err := newEnvironment()
	if err != nil {
		return nil, err
	}
	policies := &Policies{}
	for _, manifest := range m.mutating {
		policy, err := compileMutating(in, manifest, m.mutatingBindings)
		if err != nil {
			return nil, fmt.Errorf("MutatingAdmissionPolicy %s: %w", manifest.Name, err)
		}
		policies.mutating = append(policies.mutating, policy)
	}
	for _, manifest := range m.validating {
		policy, err := compileValidating(in, manifest, m.validatingBindings)
		if err != nil {
			return nil, fmt.Errorf("ValidatingAdmissionPolicy %s: %w", manifest.Name, err)
		}
		policies.validating = append(policies.validating, policy)
	}
	return policies, nil
}

func read(documents [][]byte) (*manifests, error) {
	m := &manifests{}
	for _, text := range documents {
		reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
		for {
			document, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err == nil {
				err = m.add(document)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	m.sort()
	return m, m.check()
}

// add reads one document; one without a kind is a comment.
func (m *manifests) add(document []byte) error {
	var of metav1.PartialObjectMetadata
	if err := yaml.Unmarshal(document, &of); err != nil {
		return err
	}
	if of.Kind == "" && of.APIVersion == "" {
		return nil
	}
	var err error
	switch of.GroupVersionKind().GroupKind().String() + "/" + of.GroupVersionKind().Version {
	case "MutatingAdmissionPolicy.admissionregistration.k8s.io/v1":
		m.mutating, err = decode(m.mutating, document)
	case "MutatingAdmissionPolicyBinding.admissionregistration.k8s.io/v1":
		m.mutatingBindings, err = decode(m.mutatingBindings, document)
	case "ValidatingAdmissionPolicy.admissionregistration.k8s.io/v1":
		m.validating, err = decode(m.validating, document)
	case "ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io/v1":
		m.validatingBindings, err = decode(m.validatingBindings, document)
	default:
		err = errors.New("only policies and bindings of admissionregistration.k8s.io/v1 can be compiled")
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", of.Kind, of.Name, err)
	}
	return nil
}

func decode[T any](list []*T, document []byte) ([]*T, error) {
	object := new(T)
	if err := yaml.UnmarshalStrict(document, object); err != nil {
		return nil, err
	}
	return append(list, object), nil
}

// sort makes the order that of names, whatever order the documents came in.
func (m *manifests) sort() {
	sortByName(m.mutating)
	sortByName(m.mutatingBindings)
	sortByName(m.validating)
	sortByName(m.validatingBindings)
}

func sortByName[T metav1.Object](list []T) {
	slices.SortFunc(list, func(a, b T) int { return cmp.Compare(a.GetName(), b.GetName()) })
}

// check finds bindings of nothing: the API server would take them and ignore them.
func (m *manifests) check() error {
	for _, binding := range m.mutatingBindings {
		if !slices.ContainsFunc(m.mutating, func(p *admissionregistrationv1.MutatingAdmissionPolicy) bool {
			return p.Name == binding.Spec.PolicyName
		}) {
			return fmt.Errorf("MutatingAdmissionPolicyBinding %s: spec.policyName %q is none of the policies given", binding.Name, binding.Spec.PolicyName)
		}
	}
	for _, binding := range m.validatingBindings {
		if !slices.ContainsFunc(m.validating, func(p *admissionregistrationv1.ValidatingAdmissionPolicy) bool {
			return p.Name == binding.Spec.PolicyName
		}) {
			return fmt.Errorf("ValidatingAdmissionPolicyBinding %s: spec.policyName %q is none of the policies given", binding.Name, binding.Spec.PolicyName)
		}
	}
	return nil
}
