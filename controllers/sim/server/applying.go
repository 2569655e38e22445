package server

import (
	"context"
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Apply is server-side apply.
func (c *connection) Apply(ctx context.Context, configuration runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
	o := (&client.ApplyOptions{}).ApplyOptions(opts)
	return c.apply(ctx, configuration, o, "")
}

func (c *connection) apply(ctx context.Context, configuration runtime.ApplyConfiguration, o *client.ApplyOptions, subresource string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if u, is := configuration.(runtime.Unstructured); is {
		sent := &unstructured.Unstructured{Object: u.UnstructuredContent()}
		return c.applyObject(ctx, sent, o, subresource, func(v *version) error {
			return c.s.objects.give(v, u, nil)
		})
	}
	data, err := json.Marshal(configuration)
	if err != nil {
		return err
	}
	sent := &unstructured.Unstructured{}
	if err := sent.UnmarshalJSON(data); err != nil {
		return err
	}
	return c.applyObject(ctx, sent, o, subresource, func(v *version) error {
		text, err := v.object.MarshalJSON()
		if err != nil {
			return err
		}
		return json.Unmarshal(text, configuration)
	})
}

func (c *connection) applyObject(ctx context.Context, sent *unstructured.Unstructured, o *client.ApplyOptions, subresource string, answer func(*version) error) error {
	r, err := c.request(sent, o.DryRun, "")
	if err != nil {
		return err
	}
	if subresource != "" && !r.k.hasStatus {
		return noSubresource()
	}
	r.subresource, r.manager = subresource, o.FieldManager
	return r.applied(ctx, sent.Object, o.Force, answer)
}

// applyRaw applies what was sent as JSON.
func (r *request) applyRaw(ctx context.Context, data []byte, force *bool, answer func(*version) error) error {
	var sent content
	if err := utiljson.Unmarshal(data, &sent); err != nil {
		return err
	}
	return r.applied(ctx, sent, force, answer)
}

func (r *request) applied(ctx context.Context, sent content, force *bool, answer func(*version) error) error {
	v, err := r.do(func() (*version, error) { return r.apply(ctx, sent, ptr.Deref(force, false)) })
	if err == nil {
		v, err = r.s.show(v)
	}
	if err != nil {
		return whole(err)
	}
	return answer(v)
}
