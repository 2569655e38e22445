package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/api/v1alpha1"
)

const root = "../.."

// kinds of the API, each as a Go type.
func kinds() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[v1alpha1.Rollout](), reflect.TypeFor[v1alpha1.AnalysisTemplate](),
		reflect.TypeFor[v1alpha1.ClusterAnalysisTemplate](), reflect.TypeFor[v1alpha1.Repository](),
	}
}

// schemas gives the generated schema of every kind.
func schemas(t *testing.T) map[string]*apiextensionsv1.JSONSchemaProps {
	t.Helper()
	files, err := filepath.Glob(root + "/config/crd/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no CRDs found (%v)", err)
	}
	out := map[string]*apiextensionsv1.JSONSchemaProps{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(text, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out[d.Spec.Names.Kind] = d.Spec.Versions[0].Schema.OpenAPIV3Schema
	}
	return out
}

// oneOf is how the schema says which fields of an object exclude each other.
var oneOf = regexp.MustCompile(`^exactly one of the fields in \[([^\]]*)\] must be set$`)

// walk goes through a type and its schema side by side. It tells what the one has and the other has not, and collects the
// fields that exclude each other, by the name of the type.
type walk struct {
	judge
	unions map[string][]string
}

func (w *walk) into(path string, typ reflect.Type, schema *apiextensionsv1.JSONSchemaProps) {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case typ.Kind() == reflect.Slice && schema.Items != nil:
		w.into(path+"[]", typ.Elem(), schema.Items.Schema)
	case typ.Kind() == reflect.Struct && (len(schema.Properties) > 0 || typ.PkgPath() == reflect.TypeFor[v1alpha1.Rollout]().PkgPath()):
		w.object(path, typ, schema)
	}
}

func (w *walk) object(path string, typ reflect.Type, schema *apiextensionsv1.JSONSchemaProps) {
	fields := jsonFields(typ)
	for name, field := range fields {
		if prop, ok := schema.Properties[name]; !ok {
			w.Errorf("%s.%s is a field of %s and not in the schema: run make generate", path, name, typ.Name())
		} else {
			w.into(path+"."+name, field.Type, &prop)
		}
	}
	for name := range schema.Properties {
		if _, ok := fields[name]; !ok {
			w.Errorf("%s.%s is in the schema and no field of %s: run make generate", path, name, typ.Name())
		}
	}
	for _, rule := range schema.XValidations {
		if m := oneOf.FindStringSubmatch(rule.Message); m != nil {
			w.union(path, typ, fields, strings.Fields(m[1]))
		}
	}
}

func (w *walk) union(path string, typ reflect.Type, fields map[string]reflect.StructField, members []string) {
	slices.Sort(members)
	for _, m := range members {
		if f, ok := fields[m]; !ok || f.Type.Kind() != reflect.Pointer {
			w.Errorf("%s: of the fields that exclude each other, %s is no pointer of %s: nobody could tell that it is not set", path, m, typ.Name())
		}
	}
	if known, seen := w.unions[typ.Name()]; seen && !slices.Equal(known, members) {
		w.Errorf("%s: the schema says %v of %s here and %v elsewhere: run make generate", path, members, typ.Name(), known)
	}
	w.unions[typ.Name()] = members
}

// jsonFields of a struct by their names in manifests, those of embedded ones among them.
func jsonFields(typ reflect.Type) map[string]reflect.StructField {
	out := map[string]reflect.StructField{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case options == "inline":
			for n, inner := range jsonFields(f.Type) {
				out[n] = inner
			}
		case name != "" && name != "-":
			out[name] = f
		}
	}
	return out
}

// unions of the API: the fields that exclude each other, by the name of the type.
func unions(t *testing.T) map[string][]string {
	t.Helper()
	w := &walk{judge: t, unions: map[string][]string{}}
	all := schemas(t)
	for _, kind := range kinds() {
		schema, ok := all[kind.Name()]
		if !ok {
			t.Fatalf("config/crd has no %s: run make generate", kind.Name())
		}
		delete(all, kind.Name())
		w.into(kind.Name(), kind, schema)
	}
	for kind := range all {
		t.Errorf("config/crd has a %s, which is no type of api/v1alpha1", kind)
	}
	return w.unions
}

// What users write in a manifest is what the controller reads, field by field.
func TestTypesAndSchemaSayTheSame(t *testing.T) { unions(t) }

// The walk must be able to find a difference, or it proves nothing.
func TestWalkFindsDifferences(t *testing.T) {
	changes := map[string]func(*apiextensionsv1.JSONSchemaProps){
		"a field is missing in the schema": func(s *apiextensionsv1.JSONSchemaProps) { delete(s.Properties, "weight") },
		"a field is in the schema alone": func(s *apiextensionsv1.JSONSchemaProps) {
			s.Properties["mirror"] = apiextensionsv1.JSONSchemaProps{Type: "boolean"}
		},
		"an object lost all its fields": func(s *apiextensionsv1.JSONSchemaProps) { s.Properties = nil },
		"a union has an unknown member": func(s *apiextensionsv1.JSONSchemaProps) {
			s.XValidations[0].Message = "exactly one of the fields in [mirror] must be set"
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			step := schemas(t)["Rollout"].Properties["spec"].Properties["strategy"].Properties["canary"].Properties["steps"].Items.Schema.DeepCopy()
			step.XValidations = append([]apiextensionsv1.ValidationRule{{}}, step.XValidations...)
			change(step)
			var told complaints
			(&walk{judge: &told, unions: map[string][]string{}}).into("step", reflect.TypeFor[v1alpha1.Step](), step)
			if len(told) == 0 {
				t.Error("nothing is said")
			}
		})
	}
}
