// Package images stands in for a registry: a JSON file that says which program an image name means.
//
//	{"app:v1": {"command": ["/opt/app", "--version", "v1"], "env": {"LANG": "C"}}}
//
// The first element of command is the image's entry point, the rest are its default arguments.
package images

import (
	"encoding/json"
	"fmt"
	"os"
)

// Image is what running an image means.
type Image struct {
	Command []string          `json:"command"`
	Env     map[string]string `json:"env"`
}

// File is the path of the images file. It is read again for every look-up, so that an image can be "pushed" by
// rewriting the file.
type File string

// Lookup finds an image by its exact name.
func (f File) Lookup(name string) (Image, error) {
	raw, err := os.ReadFile(string(f))
	if err != nil {
		return Image{}, fmt.Errorf("images file: %w", err)
	}
	var all map[string]Image
	if err := json.Unmarshal(raw, &all); err != nil {
		return Image{}, fmt.Errorf("images file %s: %w", f, err)
	}
	image, ok := all[name]
	if !ok {
		return Image{}, fmt.Errorf("image %q is not in the images file", name)
	}
	if len(image.Command) == 0 {
		return Image{}, fmt.Errorf("image %q has no command in the images file", name)
	}
	return image, nil
}

// Run is the command line of a container of this image: command replaces the entry point and with it the default
// arguments, args replaces the default arguments, as in Kubernetes.
func (i Image) Run(command, args []string) []string {
	if len(command) > 0 {
		return append(append([]string{}, command...), args...)
	}
	if len(args) > 0 {
		return append([]string{i.Command[0]}, args...)
	}
	return append([]string{}, i.Command...)
}
