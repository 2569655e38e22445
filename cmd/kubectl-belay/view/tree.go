package view

import (
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Tree is everything that is drawn of one Rollout.
type Tree struct {
	// Rollout as it is stored. Must not be nil.
	Rollout *v1alpha1.Rollout
	// Workload as it is stored; nil: not found or not readable.
	Workload *Workload
	// Stable and Canary are the pods of the two revisions; nil where there is no such ReplicaSet.
	Stable, Canary *Group
	// Notes are sentences about what could not be read.
	Notes []string
	// Now is the time that ages and remaining times are counted from.
	Now time.Time
}

// Workload is the Deployment that a Rollout guards.
type Workload struct {
	Kind, Name string
	// Replicas that it asks for.
	Replicas int32
	// Held says that it accepts a new template but starts no pods of it.
	Held bool
	// Bypass is the reason with which a person let the next change through; empty: none.
	Bypass string
}

// Group is a ReplicaSet with its pods.
type Group struct {
	// Name of the ReplicaSet.
	Name string
	// Replicas that it has, and how many of them are ready.
	Replicas, Ready int32
	// Pods in the order in which they are drawn.
	Pods []Pod
}

// Pod is one line below a ReplicaSet.
type Pod struct {
	Name string
	// State in the words of kubectl: Running, Pending, CrashLoopBackOff, Terminating, …
	State string
	// Ready as its condition says.
	Ready bool
	// Restarts of all its containers.
	Restarts int32
	// Created is when the pod was made.
	Created time.Time
}

// Options say what the text is for.
type Options struct {
	// Width in columns; 0: as wide as it gets.
	Width int
	// Colour by ANSI sequences.
	Colour bool
	// Wide adds columns to tables.
	Wide bool
	// AllNamespaces adds the namespace to tables.
	AllNamespaces bool
}
