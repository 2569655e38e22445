package apply

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/gitops"
)

// failure is what the commit tells a person who finds it.
func (a *Applier) failure(s *observe.Scene) gitops.Failure {
	e, p := s.Progress.Ending, s.Progress
	f := gitops.Failure{
		Cluster: a.Cluster, Namespace: s.Namespace, Rollout: s.Name,
		Stable: tag(p.Stable.Image), Headline: headline(e), Reason: e.Reason, Step: e.Step, At: e.At.Time,
	}
	if p.ClearedAt != nil {
		f.TrafficBack = p.ClearedAt.Time
	}
	for _, line := range e.Evidence {
		f.Evidence = append(f.Evidence, evidence(line))
	}
	if e.Cost != "" {
		f.Evidence = append(f.Evidence, gitops.Evidence{Name: e.Cost})
	}
	return f
}

// evidence reads a line of the ending: four fields for a metric, free text otherwise.
func evidence(line string) gitops.Evidence {
	fields := strings.Split(line, "\t")
	if len(fields) != 4 {
		return gitops.Evidence{Name: line}
	}
	return gitops.Evidence{Name: fields[0], Value: fields[1], Limit: fields[2], Remark: strings.ToLower(fields[3])}
}

// headline is the reason in a few words, for the subject of the commit.
func headline(e *v1alpha1.Ending) string {
	for _, line := range e.Evidence {
		if f := strings.Split(line, "\t"); len(f) == 4 && f[3] == string(v1alpha1.VerdictFail) {
			return fmt.Sprintf("%s %s", f[0], f[1])
		}
	}
	return e.Reason
}

// tag is the short name by which people call an image: "v1" of "registry/shop:v1".
func tag(image string) string {
	name, _, _ := strings.Cut(image, "@")
	if i := strings.LastIndexAny(name, ":/"); i >= 0 && name[i] == ':' {
		return name[i+1:]
	}
	return ""
}

// repository reads the Repository of a Rollout's spec.git and its Secrets, and asks again whether the namespace may use
// it, at every call: an order may stand for an hour.
func (a *Applier) repository(ctx context.Context, namespace string, git *v1alpha1.Git) (gitops.Repository, error) {
	r, problem, err := observe.Repository(ctx, a.Client, a.Namespace, namespace, git)
	switch {
	case err != nil:
		return gitops.Repository{}, err
	case problem != nil:
		return gitops.Repository{}, &gitops.Error{Class: gitops.ClassNotFound, Text: problem.Message}
	case r.Spec.Mode == v1alpha1.GitModeOff:
		return gitops.Repository{}, &gitops.Error{Class: gitops.ClassNotFound, Text: fmt.Sprintf("spec.mode of Repository %s is Off", r.Name)}
	}
	return a.reach(ctx, r)
}

// reach is how to get at a Repository.
func (a *Applier) reach(ctx context.Context, r *v1alpha1.Repository) (gitops.Repository, error) {
	out := gitops.Repository{
		URL:            r.Spec.URL,
		Author:         gitops.Identity{Name: r.Spec.Author.Name, Email: r.Spec.Author.Email},
		CommitsPerHour: 20,
	}
	if r.Spec.Limits != nil && r.Spec.Limits.CommitsPerHour > 0 {
		out.CommitsPerHour = int(r.Spec.Limits.CommitsPerHour)
	}
	if r.Spec.SecretRef != nil {
		data, err := a.secret(ctx, r, "spec.secretRef.name", r.Spec.SecretRef.Name)
		if err != nil {
			return out, err
		}
		if out.Auth, err = gitops.AuthFromSecret(data); err != nil {
			return out, err
		}
	}
	if r.Spec.Signing != nil {
		data, err := a.secret(ctx, r, "spec.signing.secretRef.name", r.Spec.Signing.SecretRef.Name)
		if err != nil {
			return out, err
		}
		if out.SigningKey = data["identity"]; len(out.SigningKey) == 0 {
			return out, &gitops.Error{Class: gitops.ClassAuth, Text: fmt.Sprintf("Secret %s of Repository %s has no key identity to sign with", r.Spec.Signing.SecretRef.Name, r.Name)}
		}
	}
	return out, nil
}

func (a *Applier) secret(ctx context.Context, r *v1alpha1.Repository, field, name string) (map[string][]byte, error) {
	secret, err := a.Secret(ctx, name)
	if apierrors.IsNotFound(err) {
		return nil, &gitops.Error{Class: gitops.ClassAuth, Text: fmt.Sprintf("%s of Repository %s names Secret %q, which does not exist in the controller's namespace", field, r.Name, name), Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("reading Secret %s: %w", name, err)
	}
	return secret.Data, nil
}
