package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type options struct {
	version, port, podName, podIP          string
	errorPercent                           float64
	latency, readyAfter, crashAfter, drain time.Duration
	neverReady                             bool
}

func main() {
	o := options{podIP: os.Getenv("POD_IP"), podName: os.Getenv("POD_NAME")}
	if o.podName == "" {
		o.podName = os.Getenv("HOSTNAME")
	}
	flag.StringVar(&o.version, "version", "v1", "the revision that every answer names")
	flag.StringVar(&o.port, "port", "8080", "port to listen on, at $POD_IP")
	flag.Float64Var(&o.errorPercent, "error-percent", 0, "share of the requests that are answered with 500")
	flag.DurationVar(&o.latency, "latency", 0, "how long every answer takes")
	flag.DurationVar(&o.readyAfter, "ready-after", 0, "how long /healthz fails after the start")
	flag.BoolVar(&o.neverReady, "never-ready", false, "let /healthz fail for ever")
	flag.DurationVar(&o.crashAfter, "crash-after", 0, "exit with 1 after this time; 0 is never")
	flag.DurationVar(&o.drain, "drain", 2*time.Second, "how long to go on serving after SIGTERM")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "app:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if o.errorPercent < 0 || o.errorPercent > 100 {
		return fmt.Errorf("--error-percent %v: want a number from 0 to 100", o.errorPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", net.JoinHostPort(o.podIP, o.port))
	if err != nil {
		return err
	}
	s := newShop(o.version, o.podName, o.errorPercent, o.latency)
	if !o.neverReady {
		time.AfterFunc(o.readyAfter, func() { s.ready.Store(true) })
	}
	if o.crashAfter > 0 {
		time.AfterFunc(o.crashAfter, func() {
			fmt.Fprintln(os.Stderr, "app: --crash-after is over")
			os.Exit(1)
		})
	}
	fmt.Printf("revision %s of pod %s listens on %s\n", o.version, o.podName, listener.Addr())
	return serve(ctx, listener, s, o.drain)
}
