package admission_test

import (
	"syscall"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/belay-dev/belay/controllers/sim/admission"
)

func BenchmarkCompile(b *testing.B) {
	documents := shipped(b)
	for b.Loop() {
		if _, err := admission.Compile(documents...); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAdmit(b *testing.B) {
	policies := compiled(b)
	for name, request := range benchmarked() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := cpu()
			for b.Loop() {
				if _, err := policies.Admit(b.Context(), request, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpu is what the process has used of it; on a busy machine it says more than the time that went by.
func cpu() int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}

func benchmarked() map[string]admission.Request {
	governed := object(deployment)
	govern(governed)
	changed := governed.DeepCopy()
	image("v2")(changed)
	split := object(route)
	note("split", "7.1/web/web-canary/5/100")(split)
	pods := requestFor(alice, object(deployment), object(deployment))
	pods.Resource = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	return map[string]admission.Request{
		"of no concern":          pods,
		"not governed":           requestFor(alice, object(deployment), object(deployment)),
		"governed, nothing new":  requestFor(alice, governed, governed),
		"a template to hold":     requestFor(alice, governed, changed),
		"a route to split":       requestFor(ours, object(route), split),
		"a route without intent": requestFor(alice, object(route), object(route)),
	}
}
