package fidelity

import (
	"os"
	"path/filepath"
	"strings"
)

const (
	between = "\n\n"
	suffix  = ".txt"
)

// Recorded is the tape of a script as kube-apiserver answered when it was recorded.
func Recorded(folder, script string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(folder, script+suffix))
	return strings.Split(strings.TrimSuffix(string(text), "\n"), between), err
}

// Record keeps a tape.
func Record(folder, script string, tape []string) error {
	return os.WriteFile(filepath.Join(folder, script+suffix), []byte(strings.Join(tape, between)+"\n"), 0o644)
}
