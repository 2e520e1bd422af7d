package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rook-clusterset/rook-clusterset/probe"
)

// probeFlags say whom to probe, how, and from where.
type probeFlags struct {
	tokenFile, statusFile, output string
	globalCIDRs                   []string
	timeout                       time.Duration

	cluster          clusterFlags
	inCluster        bool
	namespace, image string
	podTimeout       time.Duration
}

func probeCommand(version string) *cobra.Command {
	var flags probeFlags
	cmd := &cobra.Command{
		Use:   "probe [--token-file FILE | --status FILE | ADDRESS...]",
		Short: "Show whether this cluster reaches the mons and OSDs of another",
		Long: "probe is run in the peer cluster. It dials each mon and OSD of the other cluster and speaks the beginning of\n" +
			"Ceph's protocol, up to where a client would show a key: it needs no key and no right, and changes nothing.\n" +
			"ADDRESS is mon=IP, osd=IP, IP or IP:PORT. FILE may be - for the standard input.\n" +
			"With --in-cluster it is made from a pod that is started for it in the cluster that kubectl's flags name, and removed.\n" +
			"It exits with 0 if all is well, 1 if a daemon cannot be used, and 2 if that could not be told.",
		Example: "  # There: which daemons there are, and where.\n" +
			"  " + called + " status --context east -o json > east.json\n" +
			"  # Here: from a pod of the namespace that mirrors.\n" +
			"  " + called + " probe --context west --in-cluster -n rook-ceph --status east.json --global-cidr 242.1.0.0/16",
		RunE: func(cmd *cobra.Command, addresses []string) error {
			if err := flags.fit(addresses); err != nil {
				return err
			}
			targets, err := flags.targets(cmd.InOrStdin(), addresses)
			if err != nil {
				return err
			}
			ranges, err := flags.ranges()
			if err != nil {
				return err
			}
			findings, err := flags.run(cmd.Context(), version, targets, ranges, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := printFindings(cmd.OutOrStdout(), findings, flags.output); err != nil {
				return err
			}
			return probeVerdict(findings)
		},
	}
	cmd.Flags().StringVar(&flags.tokenFile, "token-file", "", "bootstrap peer token of the other cluster; its key is not read")
	cmd.Flags().StringVar(&flags.statusFile, "status", "", "what rook-clusterset status -o json printed in the other cluster")
	cmd.Flags().StringSliceVar(&flags.globalCIDRs, "global-cidr", nil, "range of this cluster's global IPs, from which daemons should see it come")
	cmd.Flags().DurationVar(&flags.timeout, "timeout", 5*time.Second, "for each step with a daemon")
	cmd.Flags().StringVarP(&flags.output, "output", "o", "table", "format: table or json")
	flags.cluster = newClusterFlags(cmd.Flags())
	cmd.Flags().BoolVar(&flags.inCluster, "in-cluster", false, "probe from a pod in the cluster, and remove it; needs the right to create, get and delete pods and to get pods/log")
	cmd.Flags().StringVarP(&flags.namespace, "namespace", "n", "", "namespace of that pod: that of rbd-mirror, for namespaces can leave a cluster with different global IPs")
	cmd.Flags().StringVar(&flags.image, "image", "", "image of that pod; by default that of the rook-clusterset in the cluster, else that of this release")
	cmd.Flags().DurationVar(&flags.podTimeout, "pod-timeout", 3*time.Minute, "how long that pod may take, with the time to pull its image")
	return cmd
}

// run probes from here or from a pod.
func (f probeFlags) run(ctx context.Context, version string, targets []probe.Target, ranges []netip.Prefix, errOut io.Writer) ([]probe.Finding, error) {
	if !f.inCluster {
		return probe.Run(ctx, targets, ranges, f.timeout), nil
	}
	return f.elsewhere(ctx, version, targets, errOut)
}

// fit says what does not go together.
func (f probeFlags) fit(addresses []string) error {
	given := 0
	for _, is := range []bool{f.tokenFile != "", f.statusFile != "", len(addresses) > 0} {
		if is {
			given++
		}
	}
	switch {
	case f.output != "table" && f.output != "json":
		return fmt.Errorf("--output is %q: give table or json", f.output)
	case given != 1:
		return errors.New("give one of --token-file, --status and addresses")
	case f.inCluster && f.namespace == "":
		return errors.New("--in-cluster needs --namespace, in which the pod is started: that of rbd-mirror")
	case !f.inCluster && f.namespace != "":
		return errors.New("--namespace is that of the pod: give --in-cluster with it")
	}
	return nil
}

// targets reads whom to probe from the one place where it is given.
func (f probeFlags) targets(in io.Reader, addresses []string) ([]probe.Target, error) {
	file, read := f.tokenFile, probe.TargetsOfToken
	if f.statusFile != "" {
		file, read = f.statusFile, probe.TargetsOfStatus
	}
	if file == "" {
		var targets []probe.Target
		for _, text := range addresses {
			target, err := probe.ParseTarget(text)
			if err != nil {
				return nil, err
			}
			targets = append(targets, target)
		}
		return targets, nil
	}
	text, err := readInput(in, file, "whom to probe")
	if err != nil {
		return nil, err
	}
	defer clear(text)
	return read(text)
}

func (f probeFlags) ranges() ([]netip.Prefix, error) {
	var ranges []netip.Prefix
	for _, text := range f.globalCIDRs {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("read --global-cidr: %w", err)
		}
		ranges = append(ranges, prefix)
	}
	return ranges, nil
}

func printFindings(w io.Writer, findings []probe.Finding, output string) error {
	if output == "json" {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(append([]probe.Finding{}, findings...))
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DAEMON\tADDRESS\tPROTOCOL\tANSWERS\tADVERTISES\tSEES US AS\tVERDICT")
	for _, f := range findings {
		answers := ""
		if f.Entity != 0 {
			answers = f.Entity.String()
		}
		cells := []string{f.Daemon, f.Address, f.Protocol, answers, f.Advertised, f.SeenAs, string(f.Verdict)}
		for i, cell := range cells {
			if cell == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	for _, f := range findings {
		if f.Level != probe.LevelOK {
			fmt.Fprintf(w, "%s: %s %s: %s\n  %s\n", f.Level, f.Daemon, f.Address, f.Says, f.Do)
		}
	}
	return nil
}

// probeVerdict is an error unless all is well.
func probeVerdict(findings []probe.Finding) error {
	count := 0
	for _, f := range findings {
		if f.Level == probe.LevelFault || f.Level == probe.LevelUnknown {
			count++
		}
	}
	switch probe.Worst(findings) {
	case probe.LevelFault:
		return notWell{fmt.Errorf("%d of %d conversations did not go as they should", count, len(findings))}
	case probe.LevelUnknown:
		return fmt.Errorf("%d of %d conversations tell nothing", count, len(findings))
	default:
		return nil
	}
}
