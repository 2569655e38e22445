package cluster

import (
	"context"
	"fmt"
	"os"
	"testing"
)

// ForTest starts a cluster for one test and stops it when the test and its
// subtests are done. A test that is not inside the local network namespace, or
// whose parts are not built, fails with the command that helps; it never skips.
// The logs of a failed test are kept and their place is told. A part that dies
// during the test fails it.
func ForTest(t testing.TB, options Options) *Cluster {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	c, err := Start(ctx, options)
	if err != nil {
		t.Fatalf("the local cluster did not start: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Err(); err != nil {
			t.Errorf("a part of the local cluster is gone: %v", err)
		}
		if t.Failed() {
			t.Log(c.keepLogs())
		}
		c.Stop()
	})
	return c
}

// Main starts one cluster for all tests of a package and gives it to use before
// they run. It returns the exit status for os.Exit:
//
//	func TestMain(m *testing.M) {
//		os.Exit(cluster.Main(m, cluster.Options{}, func(c *cluster.Cluster) { … }))
//	}
func Main(m *testing.M, options Options, use func(*Cluster)) int {
	c, err := Start(context.Background(), options)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the local cluster did not start:", err)
		return 1
	}
	defer c.Stop()
	use(c)
	status := m.Run()
	if err := c.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "a part of the local cluster is gone:", err)
		status = 1
	}
	if status != 0 {
		fmt.Fprintln(os.Stderr, c.keepLogs())
	}
	return status
}

// keepLogs keeps the logs and says where.
func (c *Cluster) keepLogs() string {
	dir, err := c.KeepLogs()
	if err != nil {
		return "the logs of the parts cannot be kept: " + err.Error()
	}
	return "the logs of the parts are in " + dir
}
