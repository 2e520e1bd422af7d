package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/exporter"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// stateOK is the state of a daemon that advertises its global IP wherever it should.
const stateOK = "ok"

// daemonStatus is a row of the status table.
type daemonStatus struct {
	Namespace  string `json:"namespace"`
	Type       string `json:"type"`
	ID         string `json:"id"`
	Service    string `json:"service"`
	Valid      string `json:"valid"`
	GlobalIP   string `json:"globalIP"`
	Source     string `json:"source"`
	Deployment string `json:"deployment"`
	Endpoint   string `json:"endpoint"`
	State      string `json:"state"`
	Message    string `json:"message,omitempty"`
}

func statusCommand(version string) *cobra.Command {
	var namespace, output string
	var cluster clusterFlags
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show each mon and OSD and the address it advertises",
		Long: "status reads the API server and prints a row for each mon and OSD of the namespaces that are switched on.\n" +
			"It changes nothing, and exits with 0 only if every daemon advertises its global IP.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "table" && output != "json" {
				return fmt.Errorf("--output is %q: give table or json", output)
			}
			config, err := cluster.restConfig(version)
			if err != nil {
				return err
			}
			c, err := client.New(config, client.Options{Scheme: newScheme()})
			if err != nil {
				return fmt.Errorf("reach the cluster: %w", err)
			}
			rows, notes, err := gatherStatus(cmd.Context(), c, namespace)
			if err != nil {
				return err
			}
			for _, note := range notes {
				fmt.Fprintln(cmd.ErrOrStderr(), note)
			}
			if err := printStatus(cmd.OutOrStdout(), rows, output); err != nil {
				return err
			}
			return verdict(rows, notes)
		},
	}
	cluster = newClusterFlags(cmd.Flags())
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "only this namespace")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "format: table or json")
	return cmd
}

// servedKinds finds the kinds that are installed by asking the API server.
type servedKinds struct{ mapper meta.RESTMapper }

func (s servedKinds) Served(gk schema.GroupKind) (schema.GroupVersionKind, bool) {
	mapping, err := s.mapper.RESTMapping(gk)
	if err != nil {
		return schema.GroupVersionKind{}, false
	}
	return mapping.GroupVersionKind, true
}

func (servedKinds) Wait(context.Context) error { return nil }

// gatherStatus returns the rows, and notes on what stands in the way as a whole.
func gatherStatus(ctx context.Context, c client.Client, namespace string) ([]daemonStatus, []string, error) {
	kinds := servedKinds{mapper: c.RESTMapper()}
	view := exporter.NewView(c, kinds)
	var notes []string
	for _, gk := range exporter.NeededKinds() {
		if _, ok := kinds.Served(gk); !ok {
			notes = append(notes, gk.String()+" is not installed")
		}
	}
	namespaces := []string{namespace}
	if namespace == "" {
		var err error
		if namespaces, err = view.EnabledNamespaces(ctx); err != nil {
			return nil, nil, fmt.Errorf("find the namespaces that are switched on: %w", err)
		}
	}
	var rows []daemonStatus
	for _, ns := range namespaces {
		enabled, err := view.Enabled(ctx, ns)
		if err != nil {
			return nil, nil, fmt.Errorf("read the namespace: %w", err)
		}
		if !enabled {
			notes = append(notes, fmt.Sprintf("namespace %s %s", ns, reason.NamespaceNotEnabled.Sentence()))
		}
		cluster, err := view.Cluster(ctx, ns)
		if err != nil {
			return nil, nil, fmt.Errorf("read the CephCluster: %w", err)
		}
		if cluster != nil && cluster.StandAside() != "" {
			notes = append(notes, fmt.Sprintf("CephCluster %s/%s is left alone: each daemon %s", ns, cluster.Name, cluster.StandAside().Sentence()))
		}
		found, err := namespaceStatus(ctx, c, view, ns)
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, found...)
	}
	return rows, notes, nil
}

func namespaceStatus(ctx context.Context, c client.Client, view *exporter.View, namespace string) ([]daemonStatus, error) {
	exports, err := view.Exports(ctx, namespace)
	if err != nil {
		return nil, fmt.Errorf("read the exports: %w", err)
	}
	configMap, err := view.MonEndpoints(ctx, namespace)
	if err != nil {
		return nil, fmt.Errorf("read the mon endpoints: %w", err)
	}
	var deployments appsv1.DeploymentList
	if err := c.List(ctx, &deployments, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("read the Deployments: %w", err)
	}
	return statusRows(namespace, exports, deployments.Items, endpointAddresses(configMap)), nil
}

// endpointAddresses returns the address of each mon as Rook keeps it. What cannot be read is left out: its row says so.
func endpointAddresses(configMap *corev1.ConfigMap) map[string]netip.Addr {
	addresses := map[string]netip.Addr{}
	if configMap == nil {
		return addresses
	}
	endpoints, err := rook.ParseEndpoints(configMap.Data[rook.EndpointsDataKey])
	if err != nil {
		return addresses
	}
	for _, e := range endpoints {
		addresses[e.ID] = e.Addr.Addr()
	}
	return addresses
}

// statusRows returns a row for each daemon that has an export, a Deployment or, for a mon, an endpoint: mons first.
func statusRows(namespace string, exports map[string]rook.Export, deployments []appsv1.Deployment, endpoints map[string]netip.Addr) []daemonStatus {
	daemons := map[string]rook.Daemon{}
	advertised := map[string]netip.Addr{}
	deployed := map[string]bool{}
	add := func(kind rook.Type, id string) string {
		d := rook.Daemon{Type: kind, ID: id, Namespace: namespace}
		daemons[d.Name()] = d
		return d.Name()
	}
	for i := range deployments {
		if d, code := rook.Identify(&deployments[i]); code == "" {
			name := add(d.Type, d.ID)
			deployed[name] = true
			advertised[name], _ = rook.Address(&deployments[i])
		}
	}
	for name := range exports {
		if kind, id, ok := rook.ParseName(name); ok {
			add(kind, id)
		}
	}
	for id := range endpoints {
		add(rook.Mon, id)
	}
	var rows []daemonStatus
	for _, name := range slices.SortedFunc(maps.Keys(daemons), byTypeAndID(daemons)) {
		d, export := daemons[name], exports[name]
		row := daemonStatus{
			Namespace: namespace, Type: string(d.Type), ID: d.ID, Service: name,
			Valid: validText(export), GlobalIP: addrText(export.GlobalIP), Source: export.Source,
			Deployment: addrText(advertised[name]), Endpoint: addrText(endpoints[d.ID]),
		}
		if d.Type == rook.OSD {
			row.Endpoint = ""
		}
		code, detail := daemonState(d, export, deployed[name], advertised[name], endpoints[d.ID])
		row.State = stateOK
		if code != "" {
			row.State, row.Message = string(code), strings.TrimSpace(code.Sentence()+" "+detail)
		}
		rows = append(rows, row)
	}
	return rows
}

// daemonState returns why a daemon is not as it should be, nothing if it is.
func daemonState(d rook.Daemon, export rook.Export, deployed bool, advertised, endpoint netip.Addr) (reason.Code, string) {
	switch {
	case export.Identity == rook.IdentityCluster:
		return reason.IdentityCluster, ""
	case !export.Ready():
		why := export.Why(d)
		return why.Code, "(" + why.Detail + ")"
	case export.Drift.IsValid():
		return reason.AddressDrifted, "(" + export.Drift.String() + ")"
	case !deployed:
		return reason.NoDeployment, ""
	case advertised != export.GlobalIP:
		return reason.NotAdvertised, "(it advertises " + orNone(addrText(advertised)) + ")"
	case d.Type == rook.Mon && endpoint != export.GlobalIP:
		return reason.EndpointWrong, "(Rook keeps " + orNone(addrText(endpoint)) + ")"
	}
	return "", ""
}

func byTypeAndID(daemons map[string]rook.Daemon) func(a, b string) int {
	return func(a, b string) int {
		x, y := daemons[a], daemons[b]
		if x.Type != y.Type {
			return strings.Compare(string(x.Type), string(y.Type))
		}
		if len(x.ID) != len(y.ID) {
			return len(x.ID) - len(y.ID)
		}
		return strings.Compare(x.ID, y.ID)
	}
}

func validText(export rook.Export) string {
	switch {
	case !export.Exists:
		return "no export"
	case export.Valid == "":
		return "not reported"
	case export.Valid != metav1.ConditionTrue && export.ValidReason != "":
		return string(export.Valid) + " (" + export.ValidReason + ")"
	}
	return string(export.Valid)
}

func addrText(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

func printStatus(w io.Writer, rows []daemonStatus, output string) error {
	if output == "json" {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(append([]daemonStatus{}, rows...))
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAMESPACE\tTYPE\tID\tSERVICE\tVALID\tGLOBAL IP\tSOURCE\tDEPLOYMENT\tENDPOINT\tSTATE")
	for _, r := range rows {
		cells := []string{r.Namespace, r.Type, r.ID, r.Service, r.Valid, r.GlobalIP, r.Source, r.Deployment, r.Endpoint, r.State}
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
	for _, r := range rows {
		if r.Message != "" {
			fmt.Fprintf(w, "%s/%s %s\n", r.Namespace, r.Service, r.Message)
		}
	}
	return nil
}

// verdict is an error unless all is well.
func verdict(rows []daemonStatus, notes []string) error {
	bad := 0
	for _, r := range rows {
		if r.State != stateOK {
			bad++
		}
	}
	switch {
	case bad > 0:
		return fmt.Errorf("%d of %d daemons are not at their global IPs", bad, len(rows))
	case len(notes) > 0:
		return fmt.Errorf("%s", notes[0])
	case len(rows) == 0:
		return fmt.Errorf("no mon or OSD was found: is a Rook namespace labelled %s=true?", rook.EnabledLabel)
	}
	return nil
}
