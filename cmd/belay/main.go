// Command belay is the controller.
package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// version is set at build time.
var version = "dev"

func main() {
	opts := defaults()
	flags := opts.flags()
	switch err := flags.Parse(os.Args[1:]); {
	case errors.Is(err, pflag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "belay:", err)
		os.Exit(2)
	}
	if opts.version {
		fmt.Println("belay", version)
		return
	}
	log := logger(opts.verbose)
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	if err := run(ctrl.SetupSignalHandler(), opts, log); err != nil {
		log.Error(err, "belay ends")
		os.Exit(1)
	}
}

func logger(verbose bool) logr.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return logr.FromSlogHandler(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}
