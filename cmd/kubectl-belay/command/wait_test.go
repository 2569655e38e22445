package command

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/belay-dev/belay/api/v1alpha1"
)

func TestJudge(t *testing.T) {
	git := func(status metav1.ConditionStatus, reason string) func(*v1alpha1.Rollout) {
		return func(r *v1alpha1.Rollout) {
			r.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionGitReverted, Status: status, Reason: reason}}
		}
	}
	type all map[string]result
	const (
		promoted, failed, withdrawn = v1alpha1.OutcomePromoted, v1alpha1.OutcomeFailed, v1alpha1.OutcomeWithdrawn
	)
	for name, c := range map[string]struct {
		change []func(*v1alpha1.Rollout)
		held   bool
		want   all
	}{
		"never released": {
			change: []func(*v1alpha1.Rollout){phase(v1alpha1.PhaseHealthy)},
			want:   all{"healthy": reached, "promoted": endedOtherwise, "aborted": endedOtherwise, "paused": endedOtherwise, "held": endedOtherwise, "reverted": endedOtherwise},
		},
		"template written, not seen": {
			change: []func(*v1alpha1.Rollout){phase(v1alpha1.PhaseHealthy, promoted)}, held: true,
			want: all{"healthy": notYet, "promoted": notYet, "aborted": notYet, "paused": notYet, "held": notYet, "reverted": notYet},
		},
		"in flight": {
			change: []func(*v1alpha1.Rollout){phase(v1alpha1.PhaseProgressing, failed, promoted), git("True", "Pushed")}, held: true,
			want: all{"healthy": notYet, "promoted": notYet, "aborted": notYet, "paused": notYet, "held": notYet, "reverted": notYet},
		},
		"paused": {
			change: []func(*v1alpha1.Rollout){phase(v1alpha1.PhasePaused)}, held: true,
			want: all{"healthy": notYet, "promoted": notYet, "aborted": notYet, "paused": reached, "held": notYet, "reverted": notYet},
		},
		"promoted": {
			change: []func(*v1alpha1.Rollout){phase(v1alpha1.PhaseHealthy, promoted, failed)},
			want:   all{"healthy": reached, "promoted": reached, "aborted": endedOtherwise, "paused": endedOtherwise, "held": endedOtherwise, "reverted": endedOtherwise},
		},
		"withdrawn": {
			change: []func(*v1alpha1.Rollout){phase(v1alpha1.PhaseHealthy, withdrawn, promoted)},
			want:   all{"healthy": reached, "promoted": endedOtherwise, "aborted": endedOtherwise, "reverted": endedOtherwise},
		},
		"aborting": {
			change: []func(*v1alpha1.Rollout){phase(v1alpha1.PhaseAborted, promoted), git("True", "NothingToRevert")}, held: true,
			want: all{"healthy": notYet, "promoted": endedOtherwise, "aborted": reached, "paused": endedOtherwise, "held": notYet, "reverted": notYet},
		},
		"writing the revert": {
			change: []func(*v1alpha1.Rollout){phase(v1alpha1.PhaseReverting, promoted), git("False", "Reverting")}, held: true,
			want: all{"promoted": endedOtherwise, "aborted": reached, "held": notYet, "reverted": notYet},
		},
		"held, revert pushed": {
			change: []func(*v1alpha1.Rollout){phase(v1alpha1.PhaseHeld, failed), git("True", "Pushed")}, held: true,
			want: all{"healthy": notYet, "promoted": endedOtherwise, "aborted": reached, "held": reached, "reverted": reached},
		},
		"held, revert blocked": {
			change: []func(*v1alpha1.Rollout){phase(v1alpha1.PhaseHeld, failed), git("False", "Conflict")}, held: true,
			want: all{"aborted": reached, "held": reached, "reverted": endedOtherwise},
		},
		"held, no Git": {
			change: []func(*v1alpha1.Rollout){phase(v1alpha1.PhaseHeld, failed), git("Unknown", "NoGit")}, held: true,
			want: all{"held": reached, "reverted": endedOtherwise},
		},
		"back on stable after the revert": {
			change: []func(*v1alpha1.Rollout){phase(v1alpha1.PhaseHealthy, failed, promoted), git("True", "Pushed")},
			want:   all{"healthy": reached, "promoted": endedOtherwise, "aborted": reached, "held": endedOtherwise, "reverted": reached},
		},
		"spec not observed": {
			change: []func(*v1alpha1.Rollout){phase(v1alpha1.PhaseHealthy, promoted), func(r *v1alpha1.Rollout) { r.Generation = 2 }},
			want:   all{"healthy": notYet, "promoted": notYet, "aborted": notYet, "paused": notYet, "held": notYet, "reverted": notYet},
		},
		"degraded": {
			change: []func(*v1alpha1.Rollout){phase(v1alpha1.PhaseDegraded, promoted)},
			want:   all{"healthy": notYet, "promoted": notYet},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for goal, want := range c.want {
				got, text := judge(goal, rollout("checkout", c.change...), c.held)
				if got != want {
					t.Errorf("%s: %d, want %d (%s)", goal, got, want, text)
				}
				if text == "" {
					t.Errorf("%s: no sentence", goal)
				}
			}
		})
	}
}

func TestWait(t *testing.T) {
	for name, c := range map[string]struct {
		objects  []client.Object
		funcs    interceptor.Funcs
		args     []string
		code     int
		out, err string
	}{
		"reached":        {objects: []client.Object{rollout("checkout", phase(v1alpha1.PhaseHealthy, v1alpha1.OutcomePromoted)), deployment(false)}, args: []string{"--for=promoted"}, out: "promoted: Healthy, attempt 1: Promoted"},
		"otherwise":      {objects: []client.Object{rollout("checkout", phase(v1alpha1.PhaseHeld, v1alpha1.OutcomeFailed)), deployment(true)}, args: []string{"--for=promoted"}, code: 1, err: "error: Held: Bakes."},
		"out of time":    {objects: []client.Object{rollout("checkout"), deployment(true)}, args: []string{"--for=promoted", "--timeout=50ms"}, code: 3, err: "not promoted within 50ms: Progressing: Bakes."},
		"held, not seen": {objects: []client.Object{rollout("checkout", phase(v1alpha1.PhaseHealthy)), deployment(true)}, args: []string{"--timeout=0"}, code: 3, err: "not healthy: "},
		"asked once":     {objects: []client.Object{rollout("checkout"), deployment(true)}, args: []string{"--for=healthy", "--timeout=0"}, code: 3, err: "not healthy: Progressing"},
		"unknown goal":   {args: []string{"--for=done"}, code: 2, err: "--for=done is unknown: say one of healthy, promoted, aborted, paused, reverted, held"},
		"no such":        {objects: []client.Object{rollout("other")}, args: []string{"--timeout=1h"}, code: 2, err: "There are: other."},
		"broken":         {funcs: failing(errBroken), args: []string{"--timeout=1h"}, code: 2, err: "broken"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"wait", "checkout"}, c.args...)
			run(t, &cluster{objects: c.objects, funcs: c.funcs}, args...).check(t, c.code, c.out, c.err)
		})
	}
}

// The first look finds an attempt in flight; the watch brings its end.
func TestWaitSeesTheEnd(t *testing.T) {
	looked := 0
	cl := &cluster{objects: []client.Object{rollout("checkout"), deployment(true)}}
	cl.funcs.Get = func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
		if err := c.Get(ctx, key, o, opts...); err != nil {
			return err
		}
		if _, deployment := o.(*v1alpha1.Rollout); !deployment {
			return nil
		}
		if looked++; looked == 2 { // one to learn what to watch, one to look
			ended := o.DeepCopyObject().(*v1alpha1.Rollout)
			ended.Status.Phase, ended.Status.Message = v1alpha1.PhaseAborted, "error-rate 7.2% > 1%"
			return c.Status().Update(ctx, ended)
		}
		return nil
	}
	run(t, cl, "wait", "checkout", "--for=promoted", "--timeout=1m").check(t, 1, "", "error: Aborted: error-rate 7.2% > 1%")
}

// While traffic and Git are put right, the message says how far that is; the reason stands in the condition.
func TestWaitTellsTheReason(t *testing.T) {
	r := rollout("checkout")
	r.Status.Phase, r.Status.Message = v1alpha1.PhaseAborted, "the canary finishes what it has begun"
	r.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Message: "error-rate 7.2% > 1%"}}
	cl := &cluster{objects: []client.Object{r, deployment(true)}}
	run(t, cl, "wait", "checkout", "--for=promoted", "--timeout=0").
		check(t, 1, "", "error: Aborted: error-rate 7.2% > 1%: the canary finishes what it has begun")
}
