package admission

import "testing"

func TestNothing(t *testing.T) {}
