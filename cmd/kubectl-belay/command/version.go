package command

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
	"k8s.io/client-go/discovery"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// version is set by the linker in releases.
var version = ""

func versionCommand(s *session) *cobra.Command {
	clientOnly := false
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the versions of this plugin, the server and Belay's API",
		Example: `  kubectl belay version
  kubectl belay version --client`,
		Args: cobra.NoArgs,
		RunE: func(_ *cobra.Command, _ []string) error {
			fmt.Fprintln(s.env.out(), "kubectl-belay:", ownVersion())
			if clientOnly {
				return nil
			}
			config, err := s.flags.ToRESTConfig()
			if err != nil {
				return err
			}
			d, err := discovery.NewDiscoveryClientForConfig(config)
			if err != nil {
				return err
			}
			server, err := d.ServerVersion()
			if err != nil {
				return fmt.Errorf("server: %w (--client asks only for this plugin's version)", err)
			}
			fmt.Fprintln(s.env.out(), "Kubernetes:   ", server.GitVersion)
			groups, err := d.ServerGroups()
			if err != nil {
				return err
			}
			for _, group := range groups.Groups {
				if group.Name == v1alpha1.GroupVersion.Group {
					fmt.Fprintln(s.env.out(), "Belay's API:  ", group.PreferredVersion.GroupVersion)
					return nil
				}
			}
			fmt.Fprintln(s.env.out(), "Belay's API:   not installed")
			return nil
		},
	}
	cmd.Flags().BoolVar(&clientOnly, "client", false, "Do not ask the server")
	return cmd
}

func ownVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision := ""
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && len(setting.Value) >= 12 {
			revision = " (" + setting.Value[:12] + ")"
		}
	}
	return info.Main.Version + revision
}
