package delivery

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Ship is a release.
func (a Application) Ship(version string) Change {
	return a.edit("Deployment", "ship "+version, func(o *unstructured.Unstructured) {
		a.container(o)["image"] = a.Image(version)
	})
}

// SetEnv changes a variable of the container: a release with the same image.
func (a Application) SetEnv(name, value string) Change {
	return a.edit("Deployment", fmt.Sprintf("set %s to %s", name, value), func(o *unstructured.Unstructured) {
		container := a.container(o)
		env, _ := container["env"].([]any)
		for _, item := range env {
			if variable, ok := item.(map[string]any); ok && variable["name"] == name {
				variable["value"] = value
				return
			}
		}
		container["env"] = append(env, map[string]any{"name": name, "value": value})
	})
}

// Scale is an edit of the Deployment that is no release.
func (a Application) Scale(replicas int) Change {
	return a.edit("Deployment", fmt.Sprint("scale to ", replicas), func(o *unstructured.Unstructured) {
		set(o, int64(replicas), "spec", "replicas")
	})
}

// SetTimeout changes the time-out of every rule of the first route.
func (a Application) SetTimeout(d time.Duration) Change {
	return a.edit("HTTPRoute", fmt.Sprint("time-out of ", d), func(o *unstructured.Unstructured) {
		for _, rule := range o.Object["spec"].(map[string]any)["rules"].([]any) {
			rule.(map[string]any)["timeouts"] = map[string]any{"request": timeout(d)}
		}
	})
}

// Suspend stops or resumes the Rollout.
func (a Application) Suspend(suspended bool) Change {
	return a.edit("Rollout", fmt.Sprint("suspend: ", suspended), func(o *unstructured.Unstructured) {
		set(o, suspended, "spec", "suspend")
	})
}

// Note changes a file in the application's folder that declares nothing.
func (a Application) Note(text string) Change {
	return Change{Message: "note: " + text, Edit: func(files Files) { files[a.Folder()+"/README.md"] = Text(text) }}
}

// Unguard takes the Rollout out of Git, and Guard brings it back.
func (a Application) Unguard() Change {
	return Change{Message: "no Rollout any more", Edit: func(files Files) { delete(files, a.Folder()+"/rollout.yaml") }}
}

// Guard brings the Rollout back.
func (a Application) Guard() Change {
	return Change{Message: "a Rollout", Edit: func(files Files) { files[a.Folder()+"/rollout.yaml"] = Manifest(a.rollout()) }}
}

// ShippedIn is the version that some files declare; empty: they declare no such Deployment.
func (a Application) ShippedIn(files Files) string {
	o := files.Find("Deployment", a.Name)
	if o == nil {
		return ""
	}
	image, _ := a.container(o)["image"].(string)
	return VersionOf(image)
}

// Then is two changes in one commit.
func (c Change) Then(next Change) Change {
	first := c.Edit
	return Change{
		Message: c.Message + " and " + next.Message, NoAutoRevert: c.NoAutoRevert || next.NoAutoRevert,
		Edit: func(files Files) { first(files); next.Edit(files) },
	}
}

func (a Application) edit(kind, message string, change func(*unstructured.Unstructured)) Change {
	return Change{Message: a.Name + ": " + message, Edit: func(files Files) { files.Change(kind, a.Name, change) }}
}

// container of the Deployment. It is the object's own: change it in copies only.
func (a Application) container(deployment *unstructured.Unstructured) map[string]any {
	containers, _, _ := unstructured.NestedFieldNoCopy(deployment.Object, "spec", "template", "spec", "containers")
	return containers.([]any)[0].(map[string]any)
}

func set(o *unstructured.Unstructured, value any, path ...string) {
	if err := unstructured.SetNestedField(o.Object, value, path...); err != nil {
		panic(err) // a manifest of ours
	}
}
