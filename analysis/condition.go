package analysis

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// costLimit bounds one evaluation. Conditions are a handful of operations; only nested
// comprehensions over a long list come near.
const costLimit = 100_000

// conditions of one metric. Both see result in the same way.
type conditions struct {
	list             bool // result is a list of doubles, not a double
	success, failure *condition
}

// condition is one compiled CEL expression.
type condition struct {
	source  string
	program cel.Program
	calls   []string // names of the functions that it uses
}

func (c *condition) uses(function string) bool {
	return c != nil && slices.Contains(c.calls, function)
}

// handles says whether one of the conditions copes with a value of that sort by itself.
func (c *conditions) handles(function string) bool {
	return c.success.uses(function) || c.failure.uses(function)
}

// compileConditions reads result as a double if every given condition can, else as a list.
func compileConditions(success, failure string) (*conditions, error) {
	if success == "" && failure == "" {
		return nil, configurationf("successCondition and failureCondition are both empty: give one, as in successCondition: \"result < 0.01\"")
	}
	number, numberErr := compileAs(success, failure, false)
	if numberErr == nil {
		return number, nil
	}
	list, listErr := compileAs(success, failure, true)
	if listErr == nil {
		return list, nil
	}
	if asList.MatchString(success) || asList.MatchString(failure) {
		return nil, listErr
	}
	return nil, numberErr
}

// asList recognises conditions that were meant for a list, to show the errors that fit.
var asList = regexp.MustCompile(`\bresult\s*[\[.]|\b(size\s*\(|in\s+)result\b`)

func compileAs(success, failure string, list bool) (*conditions, error) {
	env, err := environment(list)
	if err != nil {
		return nil, err
	}
	out := &conditions{list: list}
	if out.success, err = compileCondition(env, "successCondition", success); err != nil {
		return nil, err
	}
	if out.failure, err = compileCondition(env, "failureCondition", failure); err != nil {
		return nil, err
	}
	return out, nil
}

// environment declares result and the functions over it.
func environment(list bool) (*cel.Env, error) {
	double, doubles := cel.DoubleType, cel.ListType(cel.DoubleType)
	result, fallback := double, cel.BinaryBinding(defaultDouble)
	if list {
		result, fallback = doubles, cel.BinaryBinding(defaultList)
	}
	return cel.NewEnv(
		cel.CrossTypeNumericComparisons(true),
		cel.Variable("result", result),
		cel.Function("isNaN", cel.Overload("is_nan_double", []*cel.Type{double}, cel.BoolType,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return test(v, math.IsNaN) }))),
		cel.Function("isInf", cel.Overload("is_inf_double", []*cel.Type{double}, cel.BoolType,
			cel.UnaryBinding(func(v ref.Val) ref.Val {
				return test(v, func(f float64) bool { return math.IsInf(f, 0) })
			}))),
		cel.Function("default", cel.Overload("default_result", []*cel.Type{result, result}, result, fallback)),
	)
}

func test(v ref.Val, is func(float64) bool) ref.Val {
	f, ok := v.(types.Double)
	if !ok {
		return types.MaybeNoSuchOverloadErr(v)
	}
	return types.Bool(is(float64(f)))
}

// defaultDouble stands for an answer without a value: nothing matched, or 0/0.
func defaultDouble(v, fallback ref.Val) ref.Val {
	if f, ok := v.(types.Double); ok && math.IsNaN(float64(f)) {
		return fallback
	}
	return v
}

func defaultList(v, fallback ref.Val) ref.Val {
	if l, ok := v.(interface{ Size() ref.Val }); ok && l.Size() == types.IntZero {
		return fallback
	}
	return v
}

// compileCondition compiles one expression, or returns nil where there is none.
func compileCondition(env *cel.Env, field, source string) (*condition, error) {
	if source == "" {
		return nil, nil
	}
	checked, err := check(env, source)
	if err != nil {
		return nil, configurationf("%s %q: %v; write a CEL expression over result, as in result < 0.01", field, source, err)
	}
	if checked.OutputType() != cel.BoolType {
		return nil, configurationf("%s %q gives %s and must give true or false: compare result with a limit, as in result < 0.01",
			field, source, checked.OutputType())
	}
	program, err := env.Program(checked, cel.CostLimit(costLimit))
	if err != nil {
		return nil, configurationf("%s %q: %v", field, source, err)
	}
	return &condition{source: source, program: program, calls: callsOf(checked.NativeRep().Expr())}, nil
}

// check type-checks the source; where it does not fit as written, with whole numbers beside
// operators read as doubles: people write result * 100 < 1.
func check(env *cel.Env, source string) (*cel.Ast, error) {
	parsed, issues := env.Parse(source)
	if err := issues.Err(); err != nil {
		return nil, positioned(issues)
	}
	checked, issues := env.Check(parsed)
	if issues.Err() == nil {
		return checked, nil
	}
	relaxed, _ := env.Parse(source)
	widen(relaxed.NativeRep().Expr())
	if checked, again := env.Check(relaxed); again.Err() == nil {
		return checked, nil
	}
	return nil, positioned(issues)
}

// positioned is the first of the issues on one line.
func positioned(issues *cel.Issues) error {
	first := issues.Errors()[0]
	return fmt.Errorf("line %d, column %d: %s", first.Location.Line(), first.Location.Column()+1, first.Message)
}

// arithmetic operators whose operands are read as doubles.
var arithmetic = []string{"_+_", "_-_", "_*_", "_/_", "_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_"}

func widen(root ast.Expr) {
	factory := ast.NewExprFactory()
	double := func(e ast.Expr) {
		if e.Kind() != ast.LiteralKind {
			return
		}
		if i, ok := e.AsLiteral().(types.Int); ok {
			e.SetKindCase(factory.NewLiteral(e.ID(), types.Double(i)))
		}
	}
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		call := e.AsCall()
		if call.FunctionName() != "default" && !slices.Contains(arithmetic, call.FunctionName()) {
			return
		}
		for _, arg := range call.Args() {
			double(arg)
		}
	}))
}

func callsOf(root ast.Expr) []string {
	var out []string
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.CallKind {
			out = append(out, e.AsCall().FunctionName())
		}
	}))
	return out
}

// holds evaluates the condition.
func (c *condition) holds(result any) (bool, error) {
	out, _, err := c.program.Eval(map[string]any{"result": result})
	if err != nil {
		return false, err
	}
	b, ok := out.(types.Bool)
	return ok && bool(b), nil
}

// isUnordered recognises that NaN was compared, which is an error in CEL and decides nothing. It
// happens where one of two conditions asks for isNaN and the other does not. The library has no
// type for it.
func isUnordered(err error) bool {
	return err != nil && strings.Contains(err.Error(), "NaN values cannot be ordered")
}
