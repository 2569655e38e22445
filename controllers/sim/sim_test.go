package sim

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seeds = flag.Int("sim.seeds", 0, "how many seeds TestSeeds simulates; 0: a thousand, or ten under the race detector")
	from  = flag.Uint64("sim.from", 1, "the first seed")
	first = flag.Bool("sim.first", false, "stop at the first story that breaks a law")
	with  = flag.String("sim.with", "", "faults that every story has, separated by commas")
	rules = flag.String("sim.policies", "../../config/policies", "the folder of the admission policies")
	tell  = flag.Bool("sim.tell", false, "print the transcript of every story, not only of those that fail")
)

// parts are compiled once for all tests.
var parts = sync.OnceValues(func() (Parts, error) { return assemble(nil) })

func assemble(edit func(name string, text []byte) []byte) (Parts, error) {
	gateway, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		return Parts{}, fmt.Errorf("looking for the Gateway API: %w", err)
	}
	routes := filepath.Join(strings.TrimSpace(string(gateway)), "config/crd/standard/*httproutes.yaml")
	return Assemble([]string{"../../config/crd/*.yaml", routes}, filepath.Join(*rules, "*.yaml"), edit)
}

func assembled(t *testing.T) Parts {
	t.Helper()
	p, err := parts()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// simulate runs one seed in a bubble of its own, in which goroutines are waited for and time stands.
func simulate(t *testing.T, p Parts, seed uint64) (w *World) {
	t.Helper()
	synctest.Test(t, func(*testing.T) { w = Story(p, seed, synctest.Wait) })
	return w
}

// TestSeeds simulates stories with faults and holds them to the laws.
func TestSeeds(t *testing.T) {
	n := *seeds
	if n == 0 {
		n = 1000
		switch {
		case raced:
			n = 10
		case testing.Short():
			n = 100
		}
	}
	p := assembled(t)
	if *with != "" {
		p.With = strings.Split(*with, ",")
	}
	began := time.Now()
	var mu sync.Mutex
	var all Figures
	next, failed := *from, 0
	t.Run("stories", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for {
					mu.Lock()
					seed := next
					next++
					enough := seed >= *from+uint64(n) || failed >= atMost()
					mu.Unlock()
					if enough {
						return
					}
					w := simulate(t, p, seed)
					mu.Lock()
					all.add(w)
					if all.Stories%500 == 0 {
						fmt.Fprintf(os.Stderr, "%s after %s\n", all, time.Since(began).Round(time.Second))
					}
					if len(w.violations) > 0 {
						failed++
						t.Errorf("%s", w.report(seed))
					} else if *tell {
						t.Logf("seed %d\n%s", seed, w.Transcript())
					}
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("%s in %s", all, time.Since(began).Round(time.Second))
}

// atMost is how many stories may fail before no more are begun.
func atMost() int {
	if *first {
		return 1
	}
	return 3
}

// report is what a failure prints.
func (w *World) report(seed uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d with %s breaks %d laws; the first:\n", seed, w.faulty(), len(w.violations))
	for _, v := range w.violations[:min(5, len(w.violations))] {
		fmt.Fprintf(&b, "  %s at %.3f: %s\n", v.law, v.at.Seconds(), v.text)
	}
	fmt.Fprintf(&b, "the transcript:\n%s\n", w.Transcript())
	return b.String()
}

// The same seed gives the same run, to the last line.
func TestSameSeedSameStory(t *testing.T) {
	p := assembled(t)
	for seed := range uint64(8) {
		first, second := simulate(t, p, seed).Transcript(), simulate(t, p, seed).Transcript()
		if first == second {
			continue
		}
		a, b := strings.Split(first, "\n"), strings.Split(second, "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("seed %d differs in line %d:\n%s\n%s\nafter\n%s", seed, i, a[i], b[i], strings.Join(a[max(0, i-20):i], "\n"))
			}
		}
		t.Fatalf("seed %d has %d lines, then %d", seed, len(a), len(b))
	}
}
