package backtest

import (
	"regexp"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

const (
	// anyRevision stands for .Revision while a query is rendered: in history there were many.
	anyRevision = "belayanyrevision"
	// revisions are what it stands for.
	revisions = "[a-z0-9]+"
)

// forAnyRevision lets every matcher that names the revision match all of them.
func forAnyRevision(query string) (string, error) {
	if !strings.Contains(query, anyRevision) {
		return query, nil
	}
	expr, err := parser.NewParser(parser.Options{EnableExperimentalFunctions: true}).ParseExpr(query)
	if err != nil {
		return "", err
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if s, ok := node.(*parser.VectorSelector); ok {
			for i, m := range s.LabelMatchers {
				s.LabelMatchers[i] = matchAny(m)
			}
		}
		return nil
	})
	return expr.String(), nil
}

func matchAny(m *labels.Matcher) *labels.Matcher {
	if !strings.Contains(m.Value, anyRevision) {
		return m
	}
	kind, value := m.Type, m.Value
	switch m.Type {
	case labels.MatchEqual:
		kind, value = labels.MatchRegexp, regexp.QuoteMeta(value)
	case labels.MatchNotEqual:
		kind, value = labels.MatchNotRegexp, regexp.QuoteMeta(value)
	}
	out, err := labels.NewMatcher(kind, m.Name, strings.ReplaceAll(value, anyRevision, revisions))
	if err != nil {
		return m
	}
	return out
}
