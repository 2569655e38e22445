package parts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Root finds the top folder of this repository: upwards from the working
// directory, else upwards from the running program (bin/local).
func Root() (string, error) {
	var starts []string
	if dir, err := os.Getwd(); err == nil {
		starts = append(starts, dir)
	}
	if file, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(file))
	}
	for _, dir := range starts {
		for {
			if _, err := os.Stat(filepath.Join(dir, "e2e", "parts", "kubernetes", "go.mod")); err == nil {
				return dir, nil
			}
			up := filepath.Dir(dir)
			if up == dir {
				break
			}
			dir = up
		}
	}
	return "", fmt.Errorf("no checkout of Belay found upwards from %v; run this inside one", starts)
}

// MissingError says that a part has not been built.
type MissingError struct {
	// Name is the part; Path is where it was looked for.
	Name, Path string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is not built (looked for %s): run `make parts`", e.Name, e.Path)
}

// Path returns the absolute path of a built part. The error is a
// *MissingError when there is none.
func Path(name string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(Folder(root), name)
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return "", &MissingError{Name: name, Path: path}
		}
		return "", err
	}
	return path, nil
}

// Folder is where built parts are kept.
func Folder(root string) string { return filepath.Join(root, "bin", "parts") }
