package samples

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/yaml"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	sigsyaml "sigs.k8s.io/yaml"
)

func TestSamplesAreAccepted(t *testing.T) {
	crds := definitions(t)
	native := nativeDecoder(t)
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples found (%v)", err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		for _, object := range documents(t, file) {
			kind := object["kind"].(string)
			seen[kind] = true
			t.Run(file+"/"+kind, func(t *testing.T) {
				definition, ours := crds[kind]
				if !ours {
					text, err := sigsyaml.Marshal(object)
					if err != nil {
						t.Fatal(err)
					}
					if _, _, err := native.Decode(text, nil, nil); err != nil {
						t.Fatalf("strict decoding: %v", err)
					}
					return
				}
				for _, problem := range definition.check(t, object) {
					t.Error(problem)
				}
			})
		}
	}
	for kind := range crds {
		if !seen[kind] {
			t.Errorf("there is no sample of a %s", kind)
		}
	}
}

// The check above must be able to fail, or it proves nothing.
func TestCheckFindsMistakes(t *testing.T) {
	rollout := func(t *testing.T) map[string]any {
		for _, object := range documents(t, "rollout.yaml") {
			return object
		}
		t.Fatal("rollout.yaml is empty")
		return nil
	}
	for name, change := range map[string]func(spec map[string]any){
		"unknown field":        func(spec map[string]any) { spec["blueGreen"] = map[string]any{} },
		"wrong type":           func(spec map[string]any) { spec["suspend"] = "yes" },
		"CEL rule":             func(spec map[string]any) { spec["progressDeadline"] = "0s" },
		"enum":                 func(spec map[string]any) { spec["git"].(map[string]any)["mode"] = "PullRequest" },
		"missing":              func(spec map[string]any) { delete(spec, "services") },
		"duplicate in a list":  func(spec map[string]any) { spec["ignoreTemplateChanges"] = []any{"a", "a"} },
		"path outside of root": func(spec map[string]any) { spec["git"].(map[string]any)["path"] = "../other" },
	} {
		t.Run(name, func(t *testing.T) {
			object := rollout(t)
			change(object["spec"].(map[string]any))
			if problems := definitions(t)["Rollout"].check(t, object); len(problems) == 0 {
				t.Error("accepted")
			}
		})
	}
}

type definition struct {
	structural *schema.Structural
	validator  validation.SchemaValidator
}

// check returns what an API server with strict field validation would complain about.
func (d definition) check(t testing.TB, object map[string]any) []error {
	t.Helper()
	object = runtime.DeepCopyJSON(object)
	var problems []error
	unknown := pruning.PruneWithOptions(object, d.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		problems = append(problems, errors.New("unknown field "+path))
	}
	defaulting.Default(object, d.structural)
	found := validation.ValidateCustomResource(nil, object, d.validator)
	found = append(found, listtype.ValidateListSetsAndMaps(nil, d.structural, object)...)
	if len(found) == 0 {
		rules, _ := cel.NewValidator(d.structural, true, celconfig.PerCallLimit).
			Validate(t.Context(), field.NewPath(""), d.structural, object, nil, celconfig.RuntimeCELCostBudget)
		found = append(found, rules...)
	}
	for _, problem := range found {
		problems = append(problems, problem)
	}
	return problems
}

func definitions(t testing.TB) map[string]definition {
	t.Helper()
	files, err := filepath.Glob("../crd/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no CRDs found (%v)", err)
	}
	out := map[string]definition{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var external apiextensionsv1.CustomResourceDefinition
		if err := sigsyaml.UnmarshalStrict(text, &external); err != nil {
			t.Fatal(err)
		}
		if len(external.Spec.Versions) != 1 {
			t.Fatalf("%s has %d versions; this test knows one", file, len(external.Spec.Versions))
		}
		var internal apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(
			external.Spec.Versions[0].Schema.OpenAPIV3Schema, &internal, nil); err != nil {
			t.Fatal(err)
		}
		structural, err := schema.NewStructural(&internal)
		if err != nil {
			t.Fatal(err)
		}
		validator, _, err := validation.NewSchemaValidator(&internal)
		if err != nil {
			t.Fatal(err)
		}
		out[external.Spec.Names.Kind] = definition{structural: structural, validator: validator}
	}
	return out
}

func nativeDecoder(t *testing.T) runtime.Decoder {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, gatewayv1.Install} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
}

func documents(t *testing.T, file string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	reader := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(text)))
	defer reader.Close()
	buffer := make([]byte, len(text)+1)
	var out []map[string]any
	for {
		n, err := reader.Read(buffer)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		asJSON, err := sigsyaml.YAMLToJSONStrict(buffer[:n])
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		object := map[string]any{}
		// Numbers as an API server reads them: int64 where they are whole.
		if err := json.Unmarshal(asJSON, &object); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(object) > 0 {
			out = append(out, object)
		}
	}
}
