package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/doctor"
	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// checkOptions are the flags of the command.
type checkOptions struct {
	cluster                      clusterFlags
	namespace, output, dnsServer string
	before                       bool
	wait                         time.Duration
}

const (
	// checkTimeout bounds a request where --request-timeout does not: admission takes up to 30 s.
	checkTimeout = 35 * time.Second
	// checkInterval is how long --wait waits between two looks.
	checkInterval = 2 * time.Second
)

func checkCommand(version string) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Find the step at which the address of a daemon does not get on",
		Long: "check goes the way that an address travels, from the API server to what Rook remembers, and says of each step whether\n" +
			"it is well, and if not what to do. It changes nothing: what it writes are dry runs and questions about rights.\n" +
			"It exits with 0 if all is well, 1 if something is not, and 2 if something could not be told, such as for want of rights.",
		Example: "  " + called + " check --pre                    # before the install\n" +
			"  " + called + " check -n rook-ceph --wait 5m   # after it",
		Args: flagsAlone,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCheck(cmd, version, o) },
	}
	o.cluster = newClusterFlags(cmd.Flags())
	cmd.Flags().StringVarP(&o.namespace, "namespace", "n", "", "only this namespace")
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "format: text or json")
	cmd.Flags().BoolVar(&o.before, "pre", false, "check what has to be there before rook-clusterset is installed")
	cmd.Flags().DurationVar(&o.wait, "wait", 0, "look again until all is well, for so long at most")
	cmd.Flags().StringVar(&o.dnsServer, "dns-server", "", "DNS server (host or host:port) for clusterset.local; by default the manager's, and in a pod those of /etc/resolv.conf")
	return cmd
}

func runCheck(cmd *cobra.Command, version string, o checkOptions) error {
	if o.output != "text" && o.output != "json" {
		return fmt.Errorf("--output is %q: give text or json", o.output)
	}
	config, err := o.cluster.restConfig(version)
	if err != nil {
		return err
	}
	config.Timeout = cmp.Or(config.Timeout, checkTimeout)
	report, err := o.examine(cmd.Context(), config)
	if err != nil {
		return err
	}
	if err := printReport(cmd.OutOrStdout(), report, o.output); err != nil {
		return err
	}
	if code := report.ExitCode(); code != doctor.ExitWell {
		return saidAll(code)
	}
	return nil
}

func printReport(w io.Writer, report doctor.Report, output string) error {
	if output == "json" {
		return report.JSON(w)
	}
	return report.Text(w)
}

// examine looks until all is well or the time is up.
func (o checkOptions) examine(ctx context.Context, config *rest.Config) (doctor.Report, error) {
	for deadline := time.Now().Add(o.wait); ; {
		patient, err := o.patient(ctx, config)
		if err != nil {
			return nil, err
		}
		report := doctor.Examine(ctx, patient, o.before)
		if report.ExitCode() == doctor.ExitWell || time.Now().Add(checkInterval).After(deadline) {
			return report, nil
		}
		select {
		case <-ctx.Done():
			return report, nil
		case <-time.After(checkInterval):
		}
	}
}

// patient is made anew for each look, since a client keeps which kinds it has found.
func (o checkOptions) patient(ctx context.Context, config *rest.Config) (*doctor.Patient, error) {
	c, err := client.New(config, client.Options{Scheme: newScheme()})
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	versions, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	settings, ipv6 := managerSettings(ctx, c)
	settings.DNSServer = cmp.Or(o.dnsServer, settings.DNSServer)
	_, outside := rest.InClusterConfig()
	installed := kinds.Discovered{Mapper: c.RESTMapper()}
	addresses := resolver.New(resolver.Readers{Cached: c, Live: c}, installed, settings)
	v := view.New(view.Readers{Cached: c, Live: c}, installed)
	v.ExpectRange(globalIPsOf(addresses))
	if ipv6 {
		v.ExpectIPv6()
	}
	return &doctor.Patient{
		Client: c, Installed: installed, View: v, Addresses: addresses, ServerVersion: versions.ServerVersion,
		Namespace: o.namespace, AsksDNS: outside == nil || o.dnsServer != "", Now: time.Now(),
	}, nil
}

// managerSettings returns what the flags of the installed manager say, as far as they can be read.
func managerSettings(ctx context.Context, c client.Client) (settings resolver.Options, ipv6 bool) {
	installed := &appsv1.Deployment{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: installNamespace, Name: installNamespace}, installed); err != nil {
		return resolver.Options{}, false
	}
	var o managerOptions
	flags := pflag.NewFlagSet("manager", pflag.ContinueOnError)
	o.addTo(flags)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	for i := range installed.Spec.Template.Spec.Containers {
		if err := flags.Parse(installed.Spec.Template.Spec.Containers[i].Args); err != nil {
			return resolver.Options{}, false
		}
	}
	ranges, err := o.complete()
	if err != nil {
		return resolver.Options{}, false
	}
	return o.resolverOptions(ranges), o.expectsIPv6(ranges)
}
