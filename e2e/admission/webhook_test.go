package admission

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The namespaces with this label have a webhook that rewrites images. It runs
// after the policies, so an unchanged manifest looks changed to them. Services
// and routes only get a mark, so that policies are asked again there too.
const rewritten = "images"

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
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{rewritten: "rewritten"}},
			"rules": []any{map[string]any{
				"apiGroups": []any{"", "apps", "gateway.networking.k8s.io"}, "apiVersions": []any{"v1"},
				"operations": []any{"CREATE", "UPDATE"}, "resources": []any{"deployments", "services", "httproutes"},
			}},
		}},
	}}
	_, err := w.as(person).Resource(webhooks).Create(ctx, jsonCopy(configuration), metav1.CreateOptions{})
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
	patch := `[{"op":"add","path":"/metadata/labels","value":{"marked":"yes"}}]`
	if object.GetKind() == "Deployment" {
		patch = fmt.Sprintf(`[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":%q}]`,
			"mirror/"+strings.TrimPrefix(imageOf(object), "mirror/"))
	}
	kind := admissionv1.PatchTypeJSONPatch
	review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true, Patch: []byte(patch), PatchType: &kind}
	response.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(response).Encode(review); err != nil {
		http.Error(response, err.Error(), http.StatusInternalServerError)
	}
}

// applyEverySecond is the agent at work beside the webhook.
func (s *scene) applyEverySecond() error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for range 3 {
		if _, err := s.apply(false, false); err != nil {
			return err
		}
		select {
		case <-s.t.Context().Done():
			return s.t.Context().Err()
		case <-ticker.C:
		}
	}
	return nil
}
