package outcomes

import (
	"context"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// Controller is the user that Belay's controller is.
const Controller = "system:serviceaccount:belay-system:belay"

// Who writes. Ours is the controller; agent and person may do everything that an administrator may, so what stops them is
// never a missing right.
const (
	ours   = Controller
	agent  = "agent"
	person = "alice"
)

// Kinds of the scenes.
var (
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	replicaSets = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "replicasets"}
	services    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	routes      = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}
	oldRoutes   = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1beta1", Resource: "httproutes"}
	rollouts    = schema.GroupVersionResource{Group: "belay.dev", Version: "v1alpha1", Resource: "rollouts"}
)

// World opens a namespace of its own in a cluster in which the policies are at work, together with the controllers of
// Deployments and ReplicaSets, the shipped roles and the Webhook. The namespace has these labels, with the value Rewritten.
type World func(t *testing.T, labels ...string) Place

// Place is a namespace, and the way to it.
type Place struct {
	Namespace string
	// As is a client that acts as user. With groups, the user is a member of those and not of the administrators.
	As func(user string, groups ...string) dynamic.Interface
	// Pause lets a while pass.
	Pause func(ctx context.Context, while time.Duration) error
}

// Test holds a world to every outcome, or to all but some, which it cannot have.
func Test(t *testing.T, w World, without ...string) {
	for _, part := range []struct {
		name string
		test func(*testing.T, World)
	}{
		{"Matrix", matrix},
		{"HoldStories", holdsAsTold},
		{"HoldOnCreate", holdOnCreate},
		{"PinStories", pinsAsTold},
		{"SplitStories", splitsAsTold},
		{"SplitForms", splitForms},
		{"SplitKeepsTheRest", splitKeepsTheRest},
		{"SplitThroughTheOlderVersion", splitThroughTheOlderVersion},
		{"SplitOfTheLargestRoute", splitOfTheLargestRoute},
		{"RecreatedInFlight", recreatedInFlight},
		{"RecreatedElsewhere", recreatedElsewhere},
		{"UnreadableAttempt", unreadableAttempt},
		{"Fence", fence},
		{"FencedDrops", fencedDrops},
		{"FenceIsForTheControllerAlone", fenceIsForTheControllerAlone},
		{"Verbs", verbs},
		{"UnrelatedObjectsAreLeftAlone", unrelatedObjectsAreLeftAlone},
		{"WhateverForeignersWrite", whateverForeignersWrite},
		{"WhateverForeignersWriteAsOwners", whateverForeignersWriteAsOwners},
		{"SenselessRoutesAreLeftToTheSchema", senselessRoutesAreLeftToTheSchema},
		{"EmptyRoutes", emptyRoutes},
	} {
		if !slices.Contains(without, part.name) {
			t.Run(part.name, func(t *testing.T) { part.test(t, w) })
		}
	}
}
