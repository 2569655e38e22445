package admission

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	"k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiserver/pkg/cel/library"
	"k8s.io/apiserver/pkg/cel/mutation"
)

// newEnvironment is what expressions are evaluated in: the language and the functions of the API server's environment, see
// k8s.io/apiserver/pkg/cel/environment, with two differences. The server counts what an evaluation costs and refuses at some
// point, which takes it longer than the evaluation itself; here nothing is counted. And variables have no types here:
// whether an expression is right is found out before, in the server's own environment.
func newEnvironment() (*cel.Env, error) {
	return cel.NewEnv(
		cel.HomogeneousAggregateLiterals(), cel.DefaultUTCTimeZone(true), cel.CrossTypeNumericComparisons(true), cel.OptionalTypes(),
		ext.Strings(ext.StringsVersion(2)), ext.Sets(), ext.TwoVarComprehensions(), ext.Lists(ext.ListsVersion(3)),
		library.URLs(), library.Regex(), library.Lists(library.ListsVersion(0)), library.Quantity(), library.IP(), library.CIDR(),
		library.Format(), library.SemverLib(library.SemverVersion(1)), library.Authz(), library.AuthzSelectors(), library.JSONPatch(),
		common.ResolverEnvOption(&mutation.DynamicTypeResolver{}),
		cel.Variable("object", cel.DynType), cel.Variable("oldObject", cel.DynType), cel.Variable("params", cel.DynType),
		cel.Variable("request", cel.DynType), cel.Variable("variables", cel.DynType),
		cel.Variable("authorizer", library.AuthorizerType), cel.Variable("authorizer.requestResource", library.ResourceCheckType),
	)
}
