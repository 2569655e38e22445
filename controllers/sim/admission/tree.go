package admission

// withChild is a copy of a container of which one child, that is there, is another.
func withChild(node any, key string, child any) any {
	if list, is := node.([]any); is {
		at, _ := index(key, len(list))
		return withItem(list, at, child)
	}
	return withKey(node.(map[string]any), key, child)
}

func withItem(list []any, at int, value any) []any {
	copied := append([]any(nil), list...)
	copied[at] = value
	return copied
}

func withKey(from map[string]any, key string, value any) map[string]any {
	copied := make(map[string]any, len(from)+1)
	for k, v := range from {
		copied[k] = v
	}
	copied[key] = value
	return copied
}

func withoutKey(from map[string]any, key string) map[string]any {
	copied := make(map[string]any, len(from))
	for k, v := range from {
		if k != key {
			copied[k] = v
		}
	}
	return copied
}
