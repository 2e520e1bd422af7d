package cli

import (
	"fmt"

	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
)

// clusterFlags are those by which every command that talks to a cluster finds it: kubectl's own.
type clusterFlags struct{ *genericclioptions.ConfigFlags }

// newClusterFlags returns the flags without -n, whose meaning differs from command to command.
func newClusterFlags(f *pflag.FlagSet) clusterFlags {
	flags := genericclioptions.NewConfigFlags(true)
	flags.Namespace = nil
	kubectls := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.AddFlags(kubectls)
	kubectls.VisitAll(func(flag *pflag.Flag) { flag.Annotations = map[string][]string{ofKubectl: nil} })
	f.AddFlagSet(kubectls)
	return clusterFlags{flags}
}

// restConfig returns how to reach the cluster: by the flags, else by the environment, else as a pod does.
func (c clusterFlags) restConfig(version string) (*rest.Config, error) {
	config, err := c.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("find the cluster: %w", err)
	}
	config = rest.CopyConfig(config)
	config.UserAgent = "rook-clusterset/" + version
	// The API server shares itself out fairly. Five requests in a second, which is the default, would keep Rook waiting for
	// an answer of the webhook.
	config.QPS = -1
	return config, nil
}
