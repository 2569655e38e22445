package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Repository lets Belay take failed revisions out of one Git repository. It lives in the controller's namespace and is
// written by the platform team.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:categories=belay
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.spec.url`
// +kubebuilder:printcolumn:name="Mode",type=string,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Repository struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec RepositorySpec `json:"spec"`
}

// RepositorySpec says how to reach a repository and who may have what reverted.
type RepositorySpec struct {
	// url of the repository: https:// or ssh://, without credentials. http:// only where the controller's
	// configuration allows it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^(https|ssh|http)://`
	// +kubebuilder:validation:XValidation:rule="!self.contains('@') || self.startsWith('ssh://')",message="url must not contain credentials: put them into the Secret named by secretRef"
	URL string `json:"url"`
	// access lists which namespaces may have which paths on which branches reverted. Nothing else is ever touched.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +listType=atomic
	Access []RepositoryAccess `json:"access"`
	// secretRef names a Secret of the same namespace with identity and known_hosts, or username and password, or
	// bearerToken; optionally ca.crt.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`
	// author of the commits.
	// +required
	Author GitIdentity `json:"author"`
	// signing names the Secret with the SSH key (field identity) that signs commits.
	// +optional
	Signing *Signing `json:"signing,omitempty"`
	// mode: Push commits to the branch, Off never writes.
	// +optional
	// +kubebuilder:default=Push
	// +kubebuilder:validation:Enum=Push;Off
	Mode GitMode `json:"mode,omitempty"`
	// limits stop a flood of reverts, as in an outage of the whole cluster.
	// +optional
	Limits *RepositoryLimits `json:"limits,omitempty"`
}

// RepositoryAccess allows namespaces to have paths on branches reverted.
type RepositoryAccess struct {
	// namespaces whose Rollouts may use this entry.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +listType=set
	Namespaces []string `json:"namespaces"`
	// branches that may be written.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	Branches []string `json:"branches"`
	// paths that may be written, as globs: * within one path element, ** across elements, e.g. "apps/**".
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +listType=set
	Paths []string `json:"paths"`
}

// SecretReference names a Secret in the same namespace.
type SecretReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// GitIdentity is a name and an e-mail address.
type GitIdentity struct {
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[^<>\n\r]+$`
	Name string `json:"name"`
	// +required
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:Pattern=`^[^<>\s]+@[^<>\s]+$`
	Email string `json:"email"`
}

// Signing names the key that signs commits.
type Signing struct {
	// +required
	SecretRef SecretReference `json:"secretRef"`
}

// RepositoryLimits bound what Belay writes.
type RepositoryLimits struct {
	// commitsPerHour on one branch. Default 20.
	// +optional
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	CommitsPerHour int32 `json:"commitsPerHour,omitempty"`
}

// RepositoryList is a list of Repositories.
//
// +kubebuilder:object:root=true
type RepositoryList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Repository `json:"items"`
}
