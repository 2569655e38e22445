package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

const playApp = "__app"

// TestMain plays the program in the pods' containers too, so that the tests need no binary of it.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == playApp {
		os.Args = append(os.Args[:1], os.Args[2:]...)
		main()
		return
	}
	os.Exit(m.Run())
}

// imagesFile has an image app:<version> for each of versions.
func imagesFile(t *testing.T, versions ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	for _, v := range versions {
		all["app:"+v] = map[string]any{"command": []string{self, playApp, "--version", v, "--drain", "1s"}}
	}
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "images.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
