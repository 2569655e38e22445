package command

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// differences lists what changes between two JSON values, a line each, in the order of their paths. Items of lists are
// called by their name where they have one.
func differences(path string, from, to any) []string {
	if reflect.DeepEqual(from, to) {
		return nil
	}
	fromMap, fromIsMap := from.(map[string]any)
	toMap, toIsMap := to.(map[string]any)
	if fromIsMap && toIsMap {
		keys := maps.Clone(fromMap)
		maps.Copy(keys, toMap)
		var out []string
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			out = append(out, differences(join(path, key), fromMap[key], toMap[key])...)
		}
		return out
	}
	fromList, fromNamed := named(from)
	toList, toNamed := named(to)
	if fromNamed && toNamed {
		out := differences(path, fromList, toList)
		if before, after := order(from, toList), order(to, fromList); !slices.Equal(before, after) {
			out = append(out, fmt.Sprintf("%s: order %s → %s", path, short(before), short(after)))
		}
		return out
	}
	return []string{fmt.Sprintf("%s: %s → %s", path, short(from), short(to))}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// named turns a list of objects with distinct names into a map.
func named(value any) (map[string]any, bool) {
	list, ok := value.([]any)
	if !ok {
		return nil, false
	}
	out := map[string]any{}
	for _, item := range list {
		object, _ := item.(map[string]any)
		name, _ := object["name"].(string)
		if name == "" || out[name] != nil {
			return nil, false
		}
		out[name] = item
	}
	return out, true
}

// order is in which the items of a list stand that the other one has too: of containers and variables it matters.
func order(list any, other map[string]any) []string {
	var names []string
	for _, item := range list.([]any) {
		if name := item.(map[string]any)["name"].(string); other[name] != nil {
			names = append(names, name)
		}
	}
	return names
}

func short(value any) string {
	if value == nil {
		return "nothing"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	const most = 80
	if runes := []rune(string(text)); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(text)
}
