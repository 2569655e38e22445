package command

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
)

const undoHelp = `Write the template of the stable revision back into the Deployment, with your own rights: you need patch on deployments.apps.

kubectl rollout undo does not work on a Deployment that Belay holds; this does, in flight as well as after a failed attempt.
An attempt that runs ends, all requests go to stable, and no stable pod restarts. Git is not touched: what a GitOps agent
applies afterwards counts again.`

const undoExamples = `  # what would change
  kubectl belay undo checkout --dry-run=server

  kubectl belay undo checkout`

func undoCommand(s *session) *cobra.Command {
	dryRun := "none"
	cmd := &cobra.Command{
		Use:               "undo NAME",
		Short:             "Write the stable template back into the Deployment",
		Long:              undoHelp,
		Example:           undoExamples,
		Args:              s.oneName,
		ValidArgsFunction: s.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			if dryRun != "none" && dryRun != "client" && dryRun != "server" {
				return fmt.Errorf("--dry-run=%s is unknown: say none, client or server", dryRun)
			}
			name, err := rolloutName(args[0])
			if err != nil {
				return err
			}
			c, namespace, err := s.connect()
			if err != nil {
				return err
			}
			u := undoer{env: s.env, c: c, key: client.ObjectKey{Namespace: namespace, Name: name}, dryRun: dryRun}
			return u.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&dryRun, "dry-run", dryRun, "none, client (only show) or server (have the server check it)")
	return cmd
}

type undoer struct {
	env    Environment
	c      client.Client
	key    client.ObjectKey
	dryRun string
}

func (u undoer) run(ctx context.Context) error {
	rollout := &v1alpha1.Rollout{}
	if err := u.c.Get(ctx, u.key, rollout); err != nil {
		return u.asked("get", "rollouts.belay.dev").explain(ctx, err)
	}
	stable := rollout.Status.Stable
	if stable == nil || stable.Revision == "" {
		return fmt.Errorf("Rollout %s knows no stable revision yet, so there is nothing to go back to: write the template yourself", u.key.Name)
	}
	deployment, err := u.object(ctx, "Deployment", rollout.Spec.WorkloadRef.Name)
	if err != nil {
		return err
	}
	template, err := u.stableTemplate(ctx, deployment, stable.Revision)
	if err != nil {
		return err
	}
	now, _, err := unstructured.NestedMap(deployment.Object, "spec", "template")
	if err != nil {
		return err
	}
	changes := differences("", now, template)
	if len(changes) == 0 {
		_, err := fmt.Fprintf(u.env.out(), "Deployment %s has the template of the stable revision %s already; nothing to do.\n", deployment.GetName(), stable.Revision)
		return err
	}
	fmt.Fprintf(u.env.out(), "Deployment %s back to the stable revision %s:\n", deployment.GetName(), stable.Revision)
	for _, change := range changes {
		fmt.Fprintln(u.env.out(), "  "+change)
	}
	return u.write(ctx, rollout, deployment, template)
}

func (u undoer) write(ctx context.Context, rollout *v1alpha1.Rollout, deployment *unstructured.Unstructured, template map[string]any) error {
	if u.dryRun == "client" {
		_, err := fmt.Fprintln(u.env.out(), "Nothing was written (dry run).")
		return err
	}
	patch, err := json.Marshal([]map[string]any{
		{"op": "test", "path": "/metadata/resourceVersion", "value": deployment.GetResourceVersion()},
		{"op": "replace", "path": "/spec/template", "value": template},
	})
	if err != nil {
		return err
	}
	options := []client.PatchOption{fieldOwner}
	if u.dryRun == "server" {
		options = append(options, client.DryRunAll)
	}
	err = u.c.Patch(ctx, deployment, client.RawPatch(types.JSONPatchType, patch), options...)
	switch {
	case apierrors.IsConflict(err) || apierrors.IsInvalid(err) && strings.Contains(err.Error(), "test"):
		return fmt.Errorf("Deployment %s changed in the meantime; nothing was written: look and try again (%w)", deployment.GetName(), err)
	case err != nil:
		return u.asked("patch", "deployments.apps").explain(ctx, err)
	case u.dryRun == "server":
		_, err := fmt.Fprintln(u.env.out(), "The server accepts it. Nothing was written (dry run).")
		return err
	}
	fmt.Fprintln(u.env.out(), "Written.")
	if rollout.Spec.Git != nil {
		fmt.Fprintf(u.env.out(), "Git still declares the other template (%s, branch %s): take it out there too, or the agent brings it back.\n",
			rollout.Spec.Git.Path, rollout.Spec.Git.Branch)
	}
	return nil
}

func (u undoer) object(ctx context.Context, kind, name string) (*unstructured.Unstructured, error) {
	// Unstructured, because a typed object would lose fields of the template that this version does not know.
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind(kind))
	err := u.c.Get(ctx, client.ObjectKey{Namespace: u.key.Namespace, Name: name}, o)
	return o, u.asked("get", strings.ToLower(kind)+"s.apps").explain(ctx, err)
}

// stableTemplate is the pod template of the ReplicaSet of the stable revision, as the Deployment would have it.
func (u undoer) stableTemplate(ctx context.Context, deployment *unstructured.Unstructured, revision string) (map[string]any, error) {
	labels, _, err := unstructured.NestedStringMap(deployment.Object, "spec", "selector", "matchLabels")
	if err != nil {
		return nil, err
	}
	if labels == nil {
		labels = map[string]string{}
	}
	labels[appsv1.DefaultDeploymentUniqueLabelKey] = revision
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("ReplicaSetList"))
	if err := u.c.List(ctx, list, client.InNamespace(u.key.Namespace), client.MatchingLabels(labels)); err != nil {
		return nil, u.asked("list", "replicasets.apps").explain(ctx, err)
	}
	for _, set := range list.Items {
		for _, owner := range set.GetOwnerReferences() {
			if owner.UID != deployment.GetUID() {
				continue
			}
			template, _, err := unstructured.NestedMap(set.Object, "spec", "template")
			if err != nil {
				return nil, err
			}
			unstructured.RemoveNestedField(template, "metadata", "labels", appsv1.DefaultDeploymentUniqueLabelKey)
			return template, nil
		}
	}
	return nil, fmt.Errorf("the ReplicaSet of the stable revision %s of Deployment %s is gone: write the template yourself", revision, deployment.GetName())
}

func (u undoer) asked(verb, resource string) asked {
	return asked{c: u.c, verb: verb, resource: resource, namespace: u.key.Namespace, name: u.key.Name}
}
