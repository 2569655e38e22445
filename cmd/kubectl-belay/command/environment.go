package command

import (
	"io"
	"os"
	"time"

	"github.com/google/uuid"
	"golang.org/x/term"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/cmd/kubectl-belay/gather"
	"github.com/belay-dev/belay/cmd/kubectl-belay/view"
)

// Environment is what the commands need from outside of the cluster.
type Environment struct {
	Streams genericiooptions.IOStreams
	// Connect makes a client from kubectl's flags.
	Connect func(genericclioptions.RESTClientGetter) (client.WithWatch, error)
	// Now is the clock.
	Now func() time.Time
	// Token returns a new token for a request.
	Token func() string
	// Size of the terminal that Streams.Out is, in columns and lines; both 0 when it is none.
	Size func() (width, height int)
	// ErrWidth is the width of the terminal that Streams.ErrOut is, 0 when it is none; nil is none.
	ErrWidth func() int
	// Colour says whether colours are wanted on a terminal.
	Colour bool
}

// Real is the environment of a process.
func Real() Environment {
	_, noColour := os.LookupEnv("NO_COLOR")
	return Environment{
		Streams: genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr},
		Connect: func(flags genericclioptions.RESTClientGetter) (client.WithWatch, error) {
			config, err := flags.ToRESTConfig()
			if err != nil {
				return nil, err
			}
			return gather.Client(config)
		},
		Now:   time.Now,
		Token: uuid.NewString,
		Size:  func() (int, int) { return terminalSize(os.Stdout) },
		ErrWidth: func() int {
			width, _ := terminalSize(os.Stderr)
			return width
		},
		Colour: !noColour && os.Getenv("TERM") != "dumb",
	}
}

func terminalSize(f *os.File) (width, height int) {
	fd := int(f.Fd())
	if !term.IsTerminal(fd) {
		return 0, 0
	}
	width, height, err := term.GetSize(fd)
	if err != nil {
		return 80, 24
	}
	return width, height
}

// options for drawing to the output, whatever it is.
func (e Environment) options() view.Options {
	width, _ := e.Size()
	return view.Options{Width: width, Colour: e.Colour && width > 0}
}

func (e Environment) out() io.Writer { return e.Streams.Out }
