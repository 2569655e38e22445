package admission

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/belay-dev/belay/e2e/admission/outcomes"
)

var webhooks = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingwebhookconfigurations"}

// installWebhook serves the webhook on loopback over TLS for as long as the tests run.
func (w world) installWebhook(ctx context.Context) error {
	server := httptest.NewTLSServer(http.HandlerFunc(rewrite))
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	configuration := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
		"metadata": map[string]any{"name": "images"},
		"webhooks": []any{map[string]any{
			"name": "images.example.com", "sideEffects": "None", "admissionReviewVersions": []any{"v1"},
			"clientConfig":      map[string]any{"url": server.URL, "caBundle": authority},
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{outcomes.Rewritten: outcomes.Rewritten}},
			"rules": []any{map[string]any{
				"apiGroups": []any{"", "apps", "gateway.networking.k8s.io"}, "apiVersions": []any{"v1"},
				"operations": []any{"CREATE", "UPDATE"}, "resources": []any{"deployments", "services", "httproutes"},
			}},
		}},
	}}
	_, err := w.as(administrator).Resource(webhooks).Create(ctx, jsonCopy(configuration), metav1.CreateOptions{})
	return err
}

// jsonCopy turns bytes into the text that JSON has for them.
func jsonCopy(object *unstructured.Unstructured) *unstructured.Unstructured {
	text, err := json.Marshal(object.Object)
	if err != nil {
		panic(err)
	}
	copied := &unstructured.Unstructured{}
	if err := copied.UnmarshalJSON(text); err != nil {
		panic(err)
	}
	return copied
}

// rewrite is what such a webhook answers.
func rewrite(response http.ResponseWriter, request *http.Request) {
	var review admissionv1.AdmissionReview
	object := &unstructured.Unstructured{}
	err := json.NewDecoder(request.Body).Decode(&review)
	if err == nil {
		err = object.UnmarshalJSON(review.Request.Object.Raw)
	}
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	path, value := outcomes.Rewrite(object)
	patch, err := json.Marshal([]map[string]any{{"op": "add", "path": "/" + strings.Join(path, "/"), "value": value}})
	if err != nil {
		http.Error(response, err.Error(), http.StatusInternalServerError)
		return
	}
	kind := admissionv1.PatchTypeJSONPatch
	review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true, Patch: patch, PatchType: &kind}
	response.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(response).Encode(review); err != nil {
		http.Error(response, err.Error(), http.StatusInternalServerError)
	}
}
