package analysis

import (
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// windowOf returns how far back the query looks from the moment at which it is evaluated. A
// selector without a range looks back to the last sample only, which is not counted.
func windowOf(expr parser.Expr) time.Duration {
	var window time.Duration
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		back := selector.OriginalOffset
		for _, outer := range path {
			switch n := outer.(type) {
			case *parser.MatrixSelector:
				back += n.Range
			case *parser.SubqueryExpr:
				back += n.Range + n.OriginalOffset
			}
		}
		window = max(window, back)
		return nil
	})
	return window
}
