package fidelity

// Scripts are all of them. Those that are governed need the product's policies.
func Scripts() []Script {
	return []Script{
		{"kinds", false, creating}, {"created-oddly", false, creatingOddly}, {"lists", false, listing},
		{"updates", false, updating}, {"updates-of-others", false, updatingOthers},
		{"merges", false, patching}, {"other-patches", false, patchingOtherwise}, {"statuses", false, reporting},
		{"applies", false, applying}, {"applied-oddly", false, applyingOddly}, {"applies-of-others", false, applyingOthers},
		{"deletes", false, deleting}, {"finalizers", false, finalizing}, {"grace", false, ending}, {"owners", false, owning},
		{"invalid", false, spoiling}, {"watches", false, watched}, {"selected", false, selected},
		{"holds", true, holding}, {"pins", true, pinning}, {"splits", true, splitting},
		{"recreations", true, recreating}, {"requests", true, asking},
	}
}
