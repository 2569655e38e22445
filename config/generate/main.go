package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// run writes the generated templates of the checkout at root, and removes those whose source is gone.
func run(root string) error {
	files, err := render(root)
	if err != nil {
		return err
	}
	for _, group := range groups() {
		if err := os.RemoveAll(filepath.Join(root, templates, group.name)); err != nil {
			return err
		}
	}
	for path, text := range files {
		target := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
