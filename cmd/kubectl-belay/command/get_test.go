package command

import (
	"encoding/json"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/belay-dev/belay/api/v1alpha1"
)

func TestGet(t *testing.T) {
	elsewhere := rollout("invoices")
	elsewhere.Namespace = "billing"
	objects := []client.Object{rollout("checkout", func(r *v1alpha1.Rollout) { r.Labels = map[string]string{"team": "shop"} }), rollout("basket"), elsewhere, deployment(true)}
	resource := schema.GroupResource{Group: "belay.dev", Resource: "rollouts"}
	for name, c := range map[string]struct {
		args     []string
		funcs    interceptor.Funcs
		code     int
		out, err string
	}{
		"table":            {args: nil, out: "NAME      PHASE        STEP  WEIGHT  CANARY  AGE  MESSAGE\nbasket    Progressing  1/2   -       -       60m  Bakes.\ncheckout  Progressing"},
		"all namespaces":   {args: []string{"-A"}, out: "NAMESPACE  NAME"},
		"selector":         {args: []string{"-l", "team=shop", "-o", "name"}, out: "rollout.belay.dev/checkout\n"},
		"tree":             {args: []string{"checkout"}, out: "Rollout shop/checkout  Progressing  step 1/2\n"},
		"tree of hold":     {args: []string{"checkout"}, out: "─ Deployment checkout  2 replicas  held\n"},
		"workload missing": {args: []string{"basket"}, out: "Deployment basket does not exist"},
		"name":             {args: []string{"checkout", "-o", "name"}, out: "rollout.belay.dev/checkout\n"},
		"yaml":             {args: []string{"checkout", "-o", "yaml"}, out: "kind: Rollout\n"},
		"jsonpath":         {args: []string{"checkout", "-o", "jsonpath={.status.phase}"}, out: "Progressing"},
		"none":             {args: []string{"-n", "empty"}, err: "No Rollouts found in namespace empty."},
		"unknown name":     {args: []string{"chekout"}, code: 2, err: "There are: basket, checkout."},
		"unknown format":   {args: []string{"-o", "xml"}, code: 2, err: "xml"},
		"name and all":     {args: []string{"checkout", "-A"}, code: 2, err: "leave -A out"},
		"name and labels":  {args: []string{"checkout", "-l", "a=b"}, code: 2, err: "--selector is for lists"},
		"bad selector":     {args: []string{"-l", "a=="}, out: "", code: 0},
		"watch and json":   {args: []string{"-w", "-o", "json"}, code: 2, err: "cannot be combined with -o json"},
		"no CRD": {
			args: []string{"checkout"}, code: 2, err: "Belay's CRDs are not installed",
			funcs: failing(&apierrors.StatusError{ErrStatus: metav1.Status{Reason: metav1.StatusReasonNotFound, Code: 404, Details: &metav1.StatusDetails{}}}),
		},
		"forbidden": {
			args: []string{"-A"}, code: 2, err: "needed: the verb list on rollouts.belay.dev in all namespaces; -n NAMESPACE asks for less",
			funcs: failing(apierrors.NewForbidden(resource, "", errBroken)),
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, &cluster{objects: objects, funcs: c.funcs}, append([]string{"get"}, c.args...)...).check(t, c.code, c.out, c.err)
		})
	}
}

func TestGetJSONIsWhatIsStored(t *testing.T) {
	got := run(t, &cluster{objects: []client.Object{rollout("checkout")}}, "get", "-o", "json")
	var list struct {
		Kind  string
		Items []struct{ Status struct{ Step string } }
	}
	if err := json.Unmarshal([]byte(got.out), &list); err != nil {
		t.Fatalf("%v in %s", err, got.out)
	}
	if got.code != 0 || list.Kind != "RolloutList" || len(list.Items) != 1 || list.Items[0].Status.Step != "1/2" {
		t.Errorf("exit code %d, %+v", got.code, list)
	}
}
