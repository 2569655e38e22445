package samples

import (
	"strings"
	"testing"
)

// fields are those of an object in a manifest.
type fields = map[string]any

// template is an AnalysisTemplate with one metric.
func template(metric fields) fields {
	metric["name"] = "m"
	return fields{
		"apiVersion": "belay.dev/v1alpha1", "kind": "AnalysisTemplate", "metadata": fields{"name": "t", "namespace": "shop"},
		"spec": fields{"metrics": []any{metric}},
	}
}

// compare is a metric that compares counters, with fields put over its own; nil takes one away.
func compare(over fields) fields {
	return fields{"compare": merged(fields{"requests": "r", "errors": "e"}, over)}
}

func merged(own, over fields) fields {
	for name, value := range over {
		if own[name] = value; value == nil {
			delete(own, name)
		}
	}
	return own
}

// What the schema says of metrics that compare: admitted, or refused with words that name the field or the way out.
func TestSchemaOfMetrics(t *testing.T) {
	const one, together = "exactly one of requests, histogram and preset is given", "requests and errors are given together"
	const thresholds = "conditions, initialDelay, count and limits of failures and successes belong to a prometheus metric"
	none := fields{"requests": nil, "errors": nil}
	only := func(field, value string) fields { return fields{"requests": nil, "errors": nil, field: value} }
	with := func(metric, more fields) fields { return merged(metric, more) }
	prometheus := func(more fields) fields { return merged(fields{"prometheus": fields{"query": "up"}}, more) }
	gauge := func(over fields) fields { return fields{"gauge": merged(fields{"selector": "memory"}, over)} }
	for name, tc := range map[string]struct {
		metric  fields
		refused string // empty: admitted
	}{
		"counters":                     {compare(nil), ""},
		"a histogram":                  {compare(only("histogram", "h")), ""},
		"a preset":                     {compare(only("preset", "Traefik")), ""},
		"all that counters have":       {compare(fields{"marginPercent": int64(0), "marginAbsolute": "0", "alpha": "0.2", "noTrafficDeadline": "10s", "allowNeverSeen": true, "podLabel": "pod"}), ""},
		"the largest margins":          {compare(fields{"marginPercent": int64(1000), "marginAbsolute": "0.5", "alpha": "0.000001", "noTrafficDeadline": "24h"}), ""},
		"no source":                    {compare(none), one},
		"counters and a histogram":     {compare(fields{"histogram": "h"}), one},
		"counters and a preset":        {compare(fields{"preset": "Traefik"}), one},
		"a histogram and a preset":     {compare(fields{"requests": nil, "errors": nil, "histogram": "h", "preset": "Traefik"}), one},
		"requests alone":               {compare(fields{"errors": nil}), together},
		"errors alone":                 {compare(fields{"requests": nil}), one},
		"errors beside a histogram":    {compare(fields{"requests": nil, "histogram": "h"}), together},
		"an unknown preset":            {compare(only("preset", "HAProxy")), "preset"},
		"an empty selector":            {compare(fields{"requests": ""}), "requests"},
		"a margin below 0":             {compare(fields{"marginPercent": int64(-1)}), "marginPercent"},
		"a margin above 1000":          {compare(fields{"marginPercent": int64(1001)}), "marginPercent"},
		"an absolute margin above 0.5": {compare(fields{"marginAbsolute": "0.51"}), "marginAbsolute must be between 0 and 0.5"},
		"an absolute margin of all":    {compare(fields{"marginAbsolute": "1"}), "marginAbsolute"},
		"a margin in percent":          {compare(fields{"marginAbsolute": "1%"}), "marginAbsolute"},
		"a number that is no text":     {compare(fields{"alpha": 0.01}), "alpha"},
		"alpha 0":                      {compare(fields{"alpha": "0.0"}), "alpha must be between 0.000001 and 0.2"},
		"alpha too large":              {compare(fields{"alpha": "0.21"}), "alpha must be between 0.000001 and 0.2"},
		"an impatient deadline":        {compare(fields{"noTrafficDeadline": "9s"}), "noTrafficDeadline must be between 10s and 24h"},
		"a patient deadline":           {compare(fields{"noTrafficDeadline": "25h"}), "noTrafficDeadline must be between 10s and 24h"},
		"a label that is none":         {compare(fields{"podLabel": "a-b"}), "podLabel"},
		"an unknown field":             {compare(fields{"beta": "0.05"}), "unknown field spec.metrics[0].compare.beta"},

		"limits of data":              {with(compare(nil), fields{"consecutiveErrorLimit": int64(2), "required": true, "interval": "20s", "dryRun": true}), ""},
		"a condition":                 {with(compare(nil), fields{"successCondition": "result < 1.0"}), thresholds},
		"another condition":           {with(compare(nil), fields{"failureCondition": "result > 1.0"}), thresholds},
		"a delay":                     {with(compare(nil), fields{"initialDelay": "10s"}), thresholds},
		"a count":                     {with(compare(nil), fields{"count": int64(3)}), thresholds},
		"a limit of failures":         {with(compare(nil), fields{"failureLimit": int64(1)}), thresholds},
		"a limit of them in a row":    {with(compare(nil), fields{"consecutiveFailureLimit": int64(1)}), thresholds},
		"a limit of successes":        {with(compare(nil), fields{"consecutiveSuccessLimit": int64(1)}), thresholds},
		"two sources":                 {with(compare(nil), prometheus(fields{"successCondition": "result < 1.0"})), "exactly one"},
		"no source at all":            {fields{}, "exactly one"},
		"a query":                     {prometheus(fields{"successCondition": "result < 1.0"}), ""},
		"a query without a condition": {prometheus(nil), "a metric needs successCondition, failureCondition or both"},

		"a gauge":                     {gauge(nil), ""},
		"a gauge with a condition":    {with(gauge(nil), fields{"successCondition": "result < 1.0"}), thresholds},
		"a gauge of nothing":          {gauge(fields{"selector": nil}), "selector"},
		"a gauge with a wide margin":  {gauge(fields{"marginPercent": int64(1001)}), "marginPercent"},
		"a gauge beside a comparison": {with(gauge(nil), compare(nil)), "exactly one"},
	} {
		t.Run(name, func(t *testing.T) { admits(t, "AnalysisTemplate", template(tc.metric), tc.refused) })
	}
}

func admits(t *testing.T, kind string, object fields, refused string) {
	t.Helper()
	problems := definitions(t)[kind].check(t, object)
	if refused == "" {
		for _, problem := range problems {
			t.Errorf("refused: %v", problem)
		}
		return
	}
	var all []string
	for _, problem := range problems {
		all = append(all, problem.Error())
	}
	if text := strings.Join(all, "\n"); !strings.Contains(text, refused) {
		t.Errorf("said is %q, want words with %q", text, refused)
	}
}

func TestSchemaOfRamps(t *testing.T) {
	const one = "exactly one of steps and ramp is given"
	steps := []any{fields{"weight": int64(10)}}
	ramp := func(f fields) fields { return fields{"ramp": f} }
	for name, tc := range map[string]struct {
		canary  fields
		refused string
	}{
		"with nothing said":     {ramp(fields{}), ""},
		"as it may be at least": {ramp(fields{"from": int64(1), "to": int64(1), "budgetPermille": int64(1), "maxDuration": "1m"}), ""},
		"as it may be at most":  {ramp(fields{"from": int64(99), "to": int64(100), "budgetPermille": int64(500), "maxDuration": "168h"}), ""},
		"steps":                 {fields{"steps": steps}, ""},
		"both":                  {fields{"steps": steps, "ramp": fields{}}, one},
		"neither":               {fields{"settle": "3s"}, one},
		"from above to":         {ramp(fields{"from": int64(20), "to": int64(10)}), "from must not be above to"},
		"from 0":                {ramp(fields{"from": int64(0)}), "from"},
		"from 100":              {ramp(fields{"from": int64(100)}), "from"},
		"to more than all":      {ramp(fields{"to": int64(101)}), "to"},
		"no budget":             {ramp(fields{"budgetPermille": int64(0)}), "budgetPermille"},
		"a budget of most":      {ramp(fields{"budgetPermille": int64(501)}), "budgetPermille"},
		"too short":             {ramp(fields{"maxDuration": "59s"}), "maxDuration must be between 1m and 168h"},
		"too long":              {ramp(fields{"maxDuration": "169h"}), "maxDuration must be between 1m and 168h"},
		"an unknown field":      {ramp(fields{"factor": int64(3)}), "unknown field spec.strategy.canary.ramp.factor"},
	} {
		t.Run(name, func(t *testing.T) {
			admits(t, "Rollout", fields{
				"apiVersion": "belay.dev/v1alpha1", "kind": "Rollout", "metadata": fields{"name": "web", "namespace": "shop"},
				"spec": fields{
					"workloadRef": fields{"kind": "Deployment", "name": "web"}, "services": []any{fields{"name": "web"}},
					"routes":   []any{fields{"kind": "HTTPRoute", "name": "web"}},
					"strategy": fields{"canary": tc.canary},
				},
			}, tc.refused)
		})
	}
}
