package schedule

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// told runs a small world and tells what happened when.
func told(t *testing.T, seed uint64) string {
	t.Helper()
	var lines []string
	synctest.Test(t, func(t *testing.T) {
		s := New(seed, noon, synctest.Wait)
		say := func(what string) { lines = append(lines, fmt.Sprint(s.Now().Sub(noon), " ", what)) }
		for _, name := range []string{"a", "b", "c"} {
			s.After(time.Second, name, func() {
				say(name)
				s.After(s.Between(0, time.Second), name+" again", func() { say(name + " again") })
			})
		}
		s.After(time.Second, "never", func() { say("never") })()
		for _, owner := range []string{"x", "y", "z"} {
			clock := s.Clock(owner, nil)
			go func() {
				for range 3 {
					<-clock.After(500 * time.Millisecond)
					s.Hand(owner, func() { say("from " + owner) })
				}
			}()
		}
		s.Settle()
		s.Run(noon.Add(time.Minute))
		if got := s.Now(); !got.Equal(noon.Add(time.Minute)) {
			t.Errorf("it is %s", got)
		}
	})
	return strings.Join(lines, "\n")
}

func TestSameSeedSameRun(t *testing.T) {
	first := told(t, 1)
	for range 20 {
		if again := told(t, 1); again != first {
			t.Fatalf("first\n%s\nthen\n%s", first, again)
		}
	}
	if strings.Contains(first, "never") || strings.Count(first, "\n") != 3*2+3*3-1 {
		t.Errorf("it went\n%s", first)
	}
	orders := map[string]bool{}
	for seed := range uint64(50) {
		lines := strings.Split(told(t, seed), "\n")
		at := slices.DeleteFunc(lines, func(l string) bool { return !strings.HasPrefix(l, "1s ") || strings.Contains(l, "from") })
		orders[strings.Join(at, ", ")] = true
	}
	if len(orders) < 6 {
		t.Errorf("three events of one moment came in %d orders of six", len(orders))
	}
}

func TestClock(t *testing.T) {
	s := New(1, noon, nil)
	skew := time.Minute
	c := s.Clock("c", func() time.Duration { return skew })
	if got := c.Now(); !got.Equal(noon.Add(time.Minute)) {
		t.Errorf("it shows %s", got)
	}
	begun := c.Now()
	timer := c.NewTimer(time.Second)
	called := make(chan bool, 1)
	c.AfterFunc(2*time.Second, func() { called <- true })
	s.Run(noon.Add(1500 * time.Millisecond))
	if got := c.Since(begun); got != 1500*time.Millisecond {
		t.Errorf("%s have passed", got)
	}
	if at := <-timer.C(); !at.Equal(noon.Add(time.Minute + time.Second)) {
		t.Errorf("it fired at %s", at)
	}
	if timer.Stop() || timer.Reset(time.Second) {
		t.Error("a timer that fired was stopped")
	}
	if !timer.Stop() {
		t.Error("a timer that runs was not stopped")
	}
	s.Run(noon.Add(time.Minute))
	if !<-called {
		t.Error("not called")
	}
	select {
	case <-timer.C():
		t.Error("a timer that was stopped fired")
	default:
	}
	if left := s.Pending(noon.Add(time.Hour)); len(left) > 0 {
		t.Errorf("left is %v", left)
	}
}
