package server

import (
	"context"

	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
)

func (c *custom) validate(next, old content, subresource string) field.ErrorList {
	ctx := context.Background()
	var ratchet *common.CorrelatedObject
	var options []validation.ValidationOption
	var ruleOptions []cel.Option
	if old != nil {
		ratchet = common.NewCorrelatedObject(next, old, &model.Structural{Structural: c.schema})
		ruleOptions = append(ruleOptions, cel.WithRatcheting(ratchet))
	}
	errs := c.checkVersion(next)
	if len(errs) > 0 {
		return errs
	}
	switch {
	case old == nil:
		errs = validation.ValidateCustomResource(nil, next, c.whole)
	case subresource == statusSubresource:
		if status, is := next["status"]; is {
			at := field.NewPath("status")
			// Ratcheting forgives what was wrong before: it is asked where there is something to forgive.
			if errs = validation.ValidateCustomResource(at, status, c.status); len(errs) > 0 {
				errs = validation.ValidateCustomResourceUpdate(at, status, old["status"], c.status, validation.WithRatcheting(ratchet.Key("status")))
			}
		}
	default:
		options = append(options, validation.WithRatcheting(ratchet))
		errs = validation.ValidateCustomResourceUpdate(nil, next, old, c.whole, options...)
	}
	if subresource == "" && c.embeds {
		errs = append(errs, objectmeta.Validate(ctx, nil, next, c.schema, false)...)
	}
	whole := part{c.schema, c.rules}
	if subresource == statusSubresource && c.statusOnly != nil {
		whole = *c.statusOnly
	}
	errs = append(errs, whole.lists(next, old)...)
	if incomplete(errs) {
		return append(errs, field.Invalid(nil, nil, "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"))
	}
	if whole.rules == nil {
		return errs
	}
	var before any
	if old != nil {
		before = old
	}
	broken, _ := whole.rules.Validate(ctx, nil, whole.schema, next, before, celconfig.RuntimeCELCostBudget, ruleOptions...)
	return append(errs, broken...)
}

// checkVersion: an object cannot become one of another kind.
func (c *custom) checkVersion(next content) field.ErrorList {
	var errs field.ErrorList
	if kind := text(next, "kind"); kind != c.gvk.Kind {
		errs = append(errs, field.Invalid(field.NewPath("kind"), kind, "must be "+c.gvk.Kind))
	}
	if version := text(next, "apiVersion"); version != c.gvk.GroupVersion().String() {
		errs = append(errs, field.Invalid(field.NewPath("apiVersion"), version, "must be "+c.gvk.GroupVersion().String()))
	}
	return errs
}

// lists finds keys that are there twice, unless they were before.
func (c part) lists(next, old content) field.ErrorList {
	errs := listtype.ValidateListSetsAndMaps(nil, c.schema, next)
	if len(errs) > 0 && old != nil && len(listtype.ValidateListSetsAndMaps(nil, c.schema, old)) > 0 {
		return nil
	}
	return errs
}

// incomplete says that an object is too broken for rules to be asked about it.
func incomplete(errs field.ErrorList) bool {
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return true
		}
	}
	return false
}
