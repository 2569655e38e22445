package repository

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// What git answers is read here. An answer that is not as its manual says is damage: nothing is guessed from it.

// fields are the parts of an answer that git ends with a NUL each (-z).
func fields(out []byte) []string {
	if len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// treeOf reads ls-tree -z: "mode type id<TAB>path" each.
func treeOf(out []byte) (map[string]file, error) {
	files := map[string]file{}
	for _, entry := range fields(out) {
		head, name, ok := strings.Cut(entry, "\t")
		parts := strings.Fields(head)
		if !ok || len(parts) != 3 {
			return nil, &damaged{detail: fmt.Sprintf("ls-tree answers %q", entry)}
		}
		files[name] = file{mode: parts[0], blob: parts[2]}
	}
	return files, nil
}

// changesOf reads diff-tree --raw -z: ":mode mode id id status" and a path, by turns.
func changesOf(out []byte) ([]change, error) {
	parts := fields(out)
	if len(parts)%2 != 0 {
		return nil, &damaged{detail: fmt.Sprintf("diff-tree answers %q", out)}
	}
	var changes []change
	for i := 0; i < len(parts); i += 2 {
		p := strings.Fields(strings.TrimPrefix(parts[i], ":"))
		if len(p) != 5 {
			return nil, &damaged{detail: fmt.Sprintf("diff-tree answers %q", parts[i])}
		}
		changes = append(changes, change{path: parts[i+1], from: entry(p[0], p[2]), to: entry(p[1], p[3])})
	}
	return changes, nil
}

func entry(mode, blob string) file {
	if mode == absent {
		return file{mode: absent}
	}
	return file{mode: mode, blob: blob}
}

// blobsOf reads cat-file --batch: a line "id type size", so many bytes and a line feed, again and again.
func blobsOf(out []byte, contents map[string][]byte) error {
	for rest := out; len(rest) > 0; {
		head, body, _ := bytes.Cut(rest, []byte("\n"))
		parts := strings.Fields(string(head))
		if len(parts) != 3 {
			return &damaged{detail: fmt.Sprintf("cat-file answers %q", head)}
		}
		size, err := strconv.Atoi(parts[2])
		if err != nil || size < 0 || size >= len(body) {
			return &damaged{detail: fmt.Sprintf("cat-file answers %q", head)}
		}
		contents[parts[0]] = body[:size:size]
		rest = body[size+1:]
	}
	return nil
}

// sizesOf reads cat-file --batch-check: "id size", or "id missing", a line each.
func sizesOf(out []byte) map[string]int {
	sizes := map[string]int{}
	for line := range strings.Lines(string(out)) {
		id, size, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.Atoi(size); err == nil {
			sizes[id] = n
		}
	}
	return sizes
}

// logFormat is a line each, because that is what neither a name nor a subject can have more than one of; the message comes
// last, whatever stands in it.
const logFormat = "--format=%H%n%ct%n%an%n%s%n%B"

// commitsOf reads log -z in that format.
func commitsOf(out []byte) ([]commit, error) {
	var commits []commit
	for _, record := range fields(out) {
		p := strings.SplitN(record, "\n", 5)
		if len(p) != 5 {
			return nil, &damaged{detail: fmt.Sprintf("log answers %q", record)}
		}
		when, _ := strconv.ParseInt(p[1], 10, 64)
		commits = append(commits, commit{id: p[0], when: when, author: p[2], subject: p[3], message: p[4]})
	}
	return commits, nil
}

// mergedOf reads merge-tree -z --name-only: the tree, and the files in conflict if it exited with 1.
func mergedOf(a answer) (tree string, conflicts []string, err error) {
	parts := fields(a.out)
	if len(parts) == 0 || !fullID.MatchString(parts[0]) || a.exit == 1 && len(parts) < 2 {
		return "", nil, &damaged{detail: fmt.Sprintf("merge-tree answers %q", a.out)}
	}
	return parts[0], unique(parts[1:]), nil
}
