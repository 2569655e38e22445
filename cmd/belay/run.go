package main

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// run builds the manager and runs it until ctx ends.
func run(ctx context.Context, o *options, log logr.Logger) error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the API server: %w (set KUBECONFIG, or run inside a cluster)", err)
	}
	// The API server's own fairness paces us; a client-side limit would only delay an abort.
	config.QPS = -1
	policies, err := preflight(ctx, config, o.user, log)
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, managerOptions(o, log))
	if err != nil {
		return fmt.Errorf("preparing the manager: %w", err)
	}
	if err := wire(ctx, mgr, o, policies, log); err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("alive", healthz.Ping); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("ready", healthz.Ping); err != nil {
		return err
	}
	log.Info("belay starts", "version", version, "namespace", o.namespace, "cluster", o.cluster)
	return mgr.Start(ctx)
}

// preflight says whether the server has the policy API, and refuses to run as somebody whom the policies do not know.
func preflight(ctx context.Context, config *rest.Config, user string, log logr.Logger) (policies bool, err error) {
	d, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return false, err
	}
	list, err := d.ServerResourcesForGroupVersion("admissionregistration.k8s.io/v1")
	if err != nil && !apierrors.IsNotFound(err) {
		return false, fmt.Errorf("asking the API server what it offers: %w", err)
	}
	if list != nil {
		for _, r := range list.APIResources {
			policies = policies || r.Name == "mutatingadmissionpolicies"
		}
	}
	if !policies {
		log.Info("the API server has no MutatingAdmissionPolicy (admissionregistration.k8s.io/v1): nothing can be guarded, Belay needs Kubernetes 1.36 or newer")
	}
	if user == "" {
		return policies, nil
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return policies, err
	}
	me, err := kube.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return policies, fmt.Errorf("asking the API server who we are: %w", err)
	}
	if name := me.Status.UserInfo.Username; name != user {
		return policies, fmt.Errorf("--controller-user is %s, but the API server knows this process as %s: the admission policies would take every write of it for a stranger's; run it under that service account, or install the policies with this one", user, name)
	}
	return policies, nil
}

func managerOptions(o *options, log logr.Logger) ctrl.Options {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			panic(err) // two kinds of one name: a mistake of this program
		}
	}
	attempts := labels.SelectorFromSet(labels.Set{v1alpha1.LabelAttempt: "true"})
	return ctrl.Options{
		Scheme:                  scheme,
		Logger:                  log,
		Metrics:                 server.Options{BindAddress: o.metrics},
		HealthProbeBindAddress:  o.health,
		LeaderElection:          o.leaderElect,
		LeaderElectionID:        "belay",
		LeaderElectionNamespace: o.namespace,
		// The process ends with its manager, so the lease can go at once and the next leader need not wait for it.
		LeaderElectionReleaseOnCancel: true,
		Client:                        client.Options{Cache: &client.CacheOptions{Unstructured: true}},
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{
				&v1alpha1.Repository{}: {Namespaces: map[string]cache.Config{o.namespace: {}}},
				&corev1.ConfigMap{}:    {Label: attempts},
				&corev1.Pod{}:          {Transform: thinPod},
			},
		},
	}
}

// thinPod keeps of a pod what is looked at: its labels and its status.
func thinPod(in any) (any, error) {
	pod, ok := in.(*corev1.Pod)
	if !ok {
		return in, nil
	}
	pod.ManagedFields, pod.Annotations = nil, nil
	pod.Spec = corev1.PodSpec{}
	return pod, nil
}
