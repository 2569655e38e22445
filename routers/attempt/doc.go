// Package attempt keeps the parameters of an attempt where admission finds them.
//
// A Service or route that is deleted and created while an attempt runs has no stored intent that admission could keep. One
// ConfigMap per attempt carries what it needs to pin and split such objects on CREATE, always at weight 0. The same object
// holds the snapshot that the attempt runs on, so that it is read back from where it was recorded and not from a Rollout
// that was edited since.
//
// Admission policies read the keys pin, podLabels, split and routes; the others are the controller's.
package attempt
