package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/cmd/kubectl-belay/gather"
	"github.com/belay-dev/belay/cmd/kubectl-belay/view"
)

const getHelp = `Show Rollouts: all of a namespace as a table, or one as a tree.

The tree shows both revisions with their pods, the ladder of steps, what every route was told and whether it is programmed,
the verdict of every metric with its value and limit, what is waited for and until when, the last request and the history.`

const getExamples = `  # a table of this namespace, of all namespaces, with full image names
  kubectl belay get
  kubectl belay get -A
  kubectl belay get -o wide

  # one, and how it goes on
  kubectl belay get checkout
  kubectl belay get checkout --watch

  # a log of everything that happens
  kubectl belay get -A --watch | tee releases.log

  # for scripts
  kubectl belay get checkout -o jsonpath='{.status.phase}'`

type getFlags struct {
	all, watch bool
	selector   string
	print      *genericclioptions.PrintFlags
}

// drawn says that the output is ours and not one of kubectl's printers.
func (f getFlags) drawn() bool { return *f.print.OutputFormat == "" || *f.print.OutputFormat == "wide" }

func getCommand(s *session) *cobra.Command {
	f := getFlags{print: genericclioptions.NewPrintFlags("")}
	cmd := &cobra.Command{
		Use:               "get [NAME]",
		Short:             "Show Rollouts as a table, or one as a tree",
		Long:              getHelp,
		Example:           getExamples,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: s.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runGet(cmd.Context(), s, f, args)
		},
	}
	cmd.Flags().BoolVarP(&f.all, "all-namespaces", "A", false, "All namespaces")
	cmd.Flags().BoolVarP(&f.watch, "watch", "w", false, "Go on: redraw in place on a terminal, print changes as lines elsewhere")
	cmd.Flags().StringVarP(&f.selector, "selector", "l", "", "Only Rollouts with these labels, such as team=shop")
	f.print.AddFlags(cmd)
	output := cmd.Flags().Lookup("output")
	output.Usage = "wide, or one of: " + strings.Join(slices.Sorted(slices.Values(f.print.AllowedFormats())), ", ")
	return cmd
}

// check finds what cannot be meant.
func (f getFlags) check(args []string) error {
	switch {
	case f.all && len(args) > 0:
		return errors.New("a name belongs to one namespace: leave -A out, or leave the name out")
	case f.selector != "" && len(args) > 0:
		return errors.New("--selector is for lists: leave it out, or leave the name out")
	case f.watch && !f.drawn():
		return fmt.Errorf("--watch draws, it cannot be combined with -o %s: leave one of them out", *f.print.OutputFormat)
	}
	return nil
}

func runGet(ctx context.Context, s *session, f getFlags, args []string) error {
	if err := f.check(args); err != nil {
		return err
	}
	selector, err := labels.Parse(f.selector)
	if err != nil {
		return fmt.Errorf("--selector: %w", err)
	}
	c, namespace, err := s.connect()
	if err != nil {
		return err
	}
	if f.all {
		namespace = ""
	}
	g := getter{env: s.env, c: c, namespace: namespace, flags: f, selector: selector}
	if len(args) == 1 {
		if g.name, err = rolloutName(args[0]); err != nil {
			return err
		}
	}
	return g.run(ctx)
}

func (g getter) run(ctx context.Context) error {
	switch {
	case !g.flags.drawn():
		return g.print(ctx)
	case g.name != "" && g.flags.watch:
		return g.watchOne(ctx)
	case g.name != "":
		return g.showOne(ctx)
	case g.flags.watch:
		return g.watchAll(ctx)
	default:
		return g.showAll(ctx)
	}
}

type getter struct {
	env             Environment
	c               client.WithWatch
	namespace, name string
	flags           getFlags
	selector        labels.Selector
}

func (g getter) asked(verb string) asked {
	return asked{c: g.c, namespace: g.namespace, name: g.name}.rollout(verb)
}

func (g getter) selected() []client.ListOption {
	return []client.ListOption{client.InNamespace(g.namespace), client.MatchingLabelsSelector{Selector: g.selector}}
}

// print goes through kubectl's printers, with everything that is stored: a typed object would lose fields that this
// version does not know.
func (g getter) print(ctx context.Context) error {
	printer, err := g.flags.print.ToPrinter()
	if err != nil {
		return err
	}
	var object runtime.Object
	if g.name != "" {
		one := &unstructured.Unstructured{}
		one.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Rollout"))
		err = g.asked("get").explain(ctx, g.c.Get(ctx, client.ObjectKey{Namespace: g.namespace, Name: g.name}, one))
		object = one
	} else {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("RolloutList"))
		err = g.asked("list").explain(ctx, g.c.List(ctx, list, g.selected()...))
		object = list
	}
	if err != nil {
		return err
	}
	return printer.PrintObj(object, g.env.out())
}

func (g getter) showOne(ctx context.Context) error {
	tree, err := gather.Tree(ctx, g.c, g.namespace, g.name, g.env.Now())
	if err != nil {
		return g.asked("get").explain(ctx, err)
	}
	_, err = fmt.Fprint(g.env.out(), view.Render(tree, g.env.options()))
	return err
}

func (g getter) showAll(ctx context.Context) error {
	rollouts, err := g.list(ctx)
	if err != nil {
		return g.asked("list").explain(ctx, err)
	}
	if len(rollouts) == 0 {
		where := "namespace " + g.namespace
		if g.namespace == "" {
			where = "any namespace"
		}
		_, err := fmt.Fprintf(g.env.Streams.ErrOut, "No Rollouts found in %s.\n", where)
		return err
	}
	_, err = fmt.Fprint(g.env.out(), g.table(rollouts))
	return err
}

func (g getter) list(ctx context.Context) ([]v1alpha1.Rollout, error) {
	var list v1alpha1.RolloutList
	if err := g.c.List(ctx, &list, g.selected()...); err != nil {
		return nil, err
	}
	view.Sort(list.Items)
	return list.Items, nil
}

func (g getter) table(rollouts []v1alpha1.Rollout) string {
	o := g.env.options()
	o.Wide, o.AllNamespaces = *g.flags.print.OutputFormat == "wide", g.namespace == ""
	return view.Table(rollouts, g.env.Now(), o)
}
