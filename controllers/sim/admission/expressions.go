package admission

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/util/version"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

// The oldest API server that Belay runs on. The library is newer; asked for new expressions of this version, it refuses what
// that server does not know.
const serverMajor, serverMinor = 1, 36

// expressions are the variables of one policy, and what compiles the policy's other expressions.
type expressions struct {
	server   *plugincel.CompositedCompiler
	declared plugincel.OptionalVariableDeclarations

	environment *cel.Env
	names       map[string]int // of variables, their place in the list
	variables   []program
	constants   map[string]ast.Expr // variables that are a literal
}

// program is one expression ready to be evaluated.
type program struct {
	cel.Program
	name, text string
}

func newExpressions(in *cel.Env, variables []admissionregistrationv1.Variable, hasParams bool) (*expressions, error) {
	server, err := plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(version.MajorMinor(serverMajor, serverMinor)))
	if err != nil {
		return nil, err
	}
	e := &expressions{
		server: server, declared: plugincel.OptionalVariableDeclarations{HasParams: hasParams, HasAuthorizer: true},
		environment: in, names: map[string]int{}, constants: map[string]ast.Expr{},
	}
	for i, v := range variables {
		if result := server.CompileAndStoreVariable(variable(v), e.declared, environment.NewExpressions); result.Error != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Name, result.Error)
		}
		compiled, err := e.program(v.Name, v.Expression)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Name, err)
		}
		e.names[v.Name], e.variables = i, append(e.variables, compiled)
	}
	return e, nil
}

// compile lets the server's compiler judge an expression, and prepares it for evaluation.
func (e *expressions) compile(name string, expression plugincel.ExpressionAccessor, declared plugincel.OptionalVariableDeclarations) (program, error) {
	if result := e.server.CompileCELExpression(expression, declared, environment.NewExpressions); result.Error != nil {
		return program{}, fmt.Errorf("%s: %w", name, result.Error)
	}
	compiled, err := e.program(name, expression.GetExpression())
	if err != nil {
		return program{}, fmt.Errorf("%s: %w", name, err)
	}
	return compiled, nil
}

func (e *expressions) program(name, text string) (program, error) {
	if strings.Contains(text, "namespaceObject") {
		return program{}, errors.New("namespaceObject has no value here")
	}
	parsed, issues := e.environment.Parse(text)
	if issues.Err() != nil {
		return program{}, issues.Err()
	}
	e.inline(name, parsed.NativeRep().Expr())
	checked, issues := e.environment.Check(parsed)
	if issues.Err() != nil {
		return program{}, issues.Err()
	}
	compiled, err := e.environment.Program(checked, cel.EvalOptions(cel.OptOptimize))
	return program{Program: compiled, name: name, text: text}, err
}

// inline puts the values of variables that are literals into an expression: patterns, above all, which are compiled once
// then, and not whenever they are matched. A literal is remembered for the expressions that follow.
func (e *expressions) inline(name string, expression ast.Expr) {
	if expression.Kind() == ast.LiteralKind {
		e.constants[name] = expression
		return
	}
	literals := ast.NewExprFactory()
	ast.PostOrderVisit(expression, ast.NewExprVisitor(func(part ast.Expr) {
		if part.Kind() != ast.SelectKind || part.AsSelect().IsTestOnly() {
			return
		}
		operand := part.AsSelect().Operand()
		if operand.Kind() != ast.IdentKind || operand.AsIdent() != "variables" {
			return
		}
		if constant, is := e.constants[part.AsSelect().FieldName()]; is {
			part.SetKindCase(literals.NewLiteral(part.ID(), constant.AsLiteral()))
		}
	}))
}

// conditions compiles match conditions.
func (e *expressions) conditions(from []admissionregistrationv1.MatchCondition) ([]program, error) {
	var all []program
	for _, condition := range from {
		compiled, err := e.compile("match condition "+condition.Name, matchCondition(condition), e.declared)
		if err != nil {
			return nil, err
		}
		all = append(all, compiled)
	}
	return all, nil
}
