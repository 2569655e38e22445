package analysis

import (
	"slices"
	"strings"
	"text/template/parse"
)

// variables that a query may name, besides .Args.<name>.
var variables = []string{"Namespace", "Name", "Service", "Revision", "Arm", "Interval", "Since"}

const argPrefix = "Args."

// segment of a query template: text that is kept, or a variable that is replaced.
type segment struct {
	text     string
	variable string // "Service", "Args.host"; empty: text
	pos      int    // byte offset in the declared query
}

// parseTemplate cuts a query into segments. Plain fields are all that is allowed: without pipes,
// functions and control structures a reader sees what is sent, and nothing has to be bounded.
func parseTemplate(text string) ([]segment, error) {
	trees, err := parse.Parse("query", text, "", "", map[string]any{})
	if err != nil {
		return nil, configurationf("%s; allowed are %s", strings.TrimPrefix(err.Error(), "template: query:"), allowed())
	}
	if len(trees) > 1 {
		return nil, configurationf("{{ define }} and {{ block }} are not supported; allowed are %s", allowed())
	}
	tree := trees["query"]
	if tree == nil || tree.Root == nil {
		return nil, configurationf("the query is empty; write one in PromQL")
	}
	segments := make([]segment, 0, len(tree.Root.Nodes))
	for _, node := range tree.Root.Nodes {
		if t, ok := node.(*parse.TextNode); ok {
			segments = append(segments, segment{text: string(t.Text), pos: int(t.Pos)})
			continue
		}
		name, err := fieldOf(node)
		if err != nil {
			return nil, err
		}
		segments = append(segments, segment{variable: name, pos: int(node.Position())})
	}
	return segments, nil
}

// fieldOf returns the variable that an action names, or an error if the action does anything else.
func fieldOf(node parse.Node) (string, error) {
	action, ok := node.(*parse.ActionNode)
	if !ok || len(action.Pipe.Decl) > 0 || len(action.Pipe.Cmds) != 1 || len(action.Pipe.Cmds[0].Args) != 1 {
		return "", configurationf("%s is not supported; allowed are %s", node, allowed())
	}
	field, ok := action.Pipe.Cmds[0].Args[0].(*parse.FieldNode)
	if !ok {
		return "", configurationf("%s is not supported; allowed are %s", node, allowed())
	}
	switch {
	case len(field.Ident) == 1 && slices.Contains(variables, field.Ident[0]):
		return field.Ident[0], nil
	case len(field.Ident) == 2 && field.Ident[0] == "Args":
		return argPrefix + field.Ident[1], nil
	}
	return "", configurationf("%s is unknown; allowed are %s", node, allowed())
}

func allowed() string {
	return "{{ ." + strings.Join(variables, " }}, {{ .") + " }} and {{ .Args.<name> }}"
}

// argsOf returns the names of the arguments that a query uses, in order and once each.
func argsOf(segments []segment) []string {
	var out []string
	for _, s := range segments {
		if name, ok := strings.CutPrefix(s.variable, argPrefix); ok && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
