package admission

import (
	"math"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"k8s.io/apiserver/pkg/cel/mutation"
)

// operation is one of a JSON patch.
type operation struct {
	op, path, from string
	value          any
}

// operationsOf reads what a mutation evaluated to; false: there is something in it that is left to the library.
func operationsOf(list traits.Lister) ([]operation, bool) {
	var all []operation
	for it := list.Iterator(); it.HasNext() == types.True; {
		from, is := it.Next().(*mutation.JSONPatchVal)
		if !is {
			return nil, false
		}
		o := operation{op: from.Op, path: from.Path, from: from.From}
		if from.Val != nil {
			if o.value, is = native(from.Val); !is {
				return nil, false
			}
		}
		all = append(all, o)
	}
	return all, true
}

// The library takes numbers through JSON, where an integer beyond this becomes text.
const largestInteger = 1<<53 - 1

// native gives a value as it stands in an object; false: only the library knows how.
func native(value ref.Val) (any, bool) {
	switch v := value.(type) {
	case types.String:
		return string(v), true
	case types.Bool:
		return bool(v), true
	case types.Int:
		return int64(v), math.Abs(float64(v)) <= largestInteger
	case types.Null:
		return nil, true
	case traits.Mapper:
		if v.Size() == types.IntZero {
			return map[string]any{}, true
		}
	}
	// A part of the object itself: shared, as nobody changes it.
	switch content := value.Value().(type) {
	case map[string]any:
		return content, true
	case []any:
		return content, true
	default:
		return nil, false
	}
}
