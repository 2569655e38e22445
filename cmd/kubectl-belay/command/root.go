package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/cmd/kubectl-belay/gather"
)

const rootHelp = `Watch and steer the releases that Belay guards.

A Rollout stands next to a Deployment. When the Deployment gets a new pod template, Belay holds it, sends a share of the
requests to it, measures, and either hands the new pods over to the Deployment or sends all requests back and takes the
change out of Git.

Exit codes: 0 done or reached, 1 refused or ended otherwise, 2 not possible (usage, rights, connection), 3 out of time.`

const rootExamples = `  # what is being released, everywhere
  kubectl belay get -A

  # watch one release
  kubectl belay get checkout --watch

  # let the canary go on past an approval, or stop it
  kubectl belay promote checkout
  kubectl belay abort checkout

  # in a pipeline: push, then wait for the end of the release
  kubectl belay wait checkout --for=promoted --timeout=30m

  # judge counts in a file, without a cluster
  kubectl belay judge --ticks ticks.csv`

// Run executes the command line and returns the exit code.
func Run(ctx context.Context, args []string, env Environment) int {
	root := New(env)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	code := exitCode(ctx, err)
	if err != nil && err.Error() != "" && code != exitInterrupted {
		fmt.Fprintln(env.Streams.ErrOut, "error: "+err.Error())
	}
	return code
}

// New makes the tree of commands.
func New(env Environment) *cobra.Command {
	root := &cobra.Command{
		Use:           "kubectl-belay",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl belay"},
		Short:         "Watch and steer the releases that Belay guards",
		Long:          rootHelp,
		Example:       rootExamples,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	flags := genericclioptions.NewConfigFlags(true)
	flags.AddFlags(root.PersistentFlags())
	root.SetIn(env.Streams.In)
	root.SetOut(env.Streams.Out)
	root.SetErr(env.Streams.ErrOut)
	s := &session{env: env, flags: flags}
	root.AddCommand(getCommand(s), waitCommand(s), undoCommand(s), judgeCommand(s), backtestCommand(s), versionCommand(s))
	for _, verb := range verbs() {
		root.AddCommand(requestCommand(s, verb))
	}
	return root
}

// session connects to the cluster at the first use, when the flags are known.
type session struct {
	env   Environment
	flags *genericclioptions.ConfigFlags
}

func (s *session) connect() (client.WithWatch, string, error) {
	namespace, _, err := s.flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, "", err
	}
	c, err := s.env.Connect(s.flags)
	return c, namespace, err
}

// oneName is for commands that need the name of a Rollout.
func (s *session) oneName(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 1:
		return nil
	case 0:
		hint := ""
		if c, namespace, err := s.connect(); err == nil {
			hint = knownNames(cmd.Context(), c, namespace)
		}
		return fmt.Errorf("which Rollout? Say `%s NAME`. %s", cmd.CommandPath(), hint)
	default:
		return fmt.Errorf("one Rollout at a time, got %d names", len(args))
	}
}

// complete offers the names of Rollouts to the shell.
func (s *session) complete(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, namespace, err := s.connect()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	names, err := gather.Names(cmd.Context(), c, namespace)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
