package view

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Table draws Rollouts one a line, under a header, in the order in which they are given.
func Table(rollouts []v1alpha1.Rollout, now time.Time, o Options) string {
	header := []string{"NAME", "PHASE", "STEP", "WEIGHT", "CANARY"}
	if o.AllNamespaces {
		header = append([]string{"NAMESPACE"}, header...)
	}
	if o.Wide {
		header = append(header, "STABLE", "GUARDED", "REVERTED")
	}
	header = append(header, "AGE", "MESSAGE")
	rows := []node{{}}
	for _, title := range header {
		rows[0].cells = append(rows[0].cells, cell{title, faint})
	}
	for i := range rollouts {
		rows = append(rows, node{cells: tableRow(&rollouts[i], now, o)})
	}
	widths := columnWidths(rows)
	var b strings.Builder
	for _, row := range rows {
		joined(nil, row.cells, widths).write(&b, o)
	}
	return b.String()
}

func tableRow(r *v1alpha1.Rollout, now time.Time, o Options) []cell {
	image := func(s *v1alpha1.RevisionStatus) string {
		switch {
		case s == nil:
			return ""
		case o.Wide:
			return s.Image
		default:
			return shortImage(s.Image)
		}
	}
	var row []cell
	if o.AllNamespaces {
		row = append(row, cell{r.Namespace, plain})
	}
	row = append(row, cell{r.Name, strong}, cell{string(r.Status.Phase), phaseStyle(r.Status.Phase)},
		cell{r.Status.Step, plain}, cell{r.Status.Weight, plain}, cell{image(r.Status.Canary), plain})
	if o.Wide {
		row = append(row, cell{image(r.Status.Stable), plain}, cell{conditionStatus(r, v1alpha1.ConditionGuarded), plain},
			cell{conditionReason(r, v1alpha1.ConditionGitReverted), plain})
	}
	row = append(row, cell{span(now.Sub(r.CreationTimestamp.Time)), plain}, cell{r.Status.Message, plain})
	for i := range row {
		if row[i].text = clean(row[i].text); row[i].text == "" {
			row[i].text = "-"
		}
	}
	return row
}

func conditionStatus(r *v1alpha1.Rollout, kind string) string {
	if c := meta.FindStatusCondition(r.Status.Conditions, kind); c != nil {
		return string(c.Status)
	}
	return ""
}

func conditionReason(r *v1alpha1.Rollout, kind string) string {
	if c := meta.FindStatusCondition(r.Status.Conditions, kind); c != nil {
		return c.Reason
	}
	return ""
}

// Sort orders Rollouts by namespace and name.
func Sort(rollouts []v1alpha1.Rollout) {
	slices.SortFunc(rollouts, func(a, b v1alpha1.Rollout) int {
		if c := strings.Compare(a.Namespace, b.Namespace); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
}
