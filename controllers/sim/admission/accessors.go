package admission

import (
	"github.com/google/cel-go/cel"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
)

// What the library wants to know of an expression: its text, and what it may evaluate to.

type variable admissionregistrationv1.Variable

func (v variable) GetName() string          { return v.Name }
func (v variable) GetExpression() string    { return v.Expression }
func (v variable) ReturnTypes() []*cel.Type { return []*cel.Type{cel.AnyType, cel.DynType} }

type matchCondition admissionregistrationv1.MatchCondition

func (m matchCondition) GetExpression() string    { return m.Expression }
func (m matchCondition) ReturnTypes() []*cel.Type { return []*cel.Type{cel.BoolType} }

type validation admissionregistrationv1.Validation

func (v validation) GetExpression() string    { return v.Expression }
func (v validation) ReturnTypes() []*cel.Type { return []*cel.Type{cel.BoolType} }

// message is a messageExpression.
type message string

func (m message) GetExpression() string    { return string(m) }
func (m message) ReturnTypes() []*cel.Type { return []*cel.Type{cel.StringType} }
