package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	webhookserver "sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/rook-clusterset/rook-clusterset/addresses"
	"github.com/rook-clusterset/rook-clusterset/certs"
	"github.com/rook-clusterset/rook-clusterset/exporter"
	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/migration"
	"github.com/rook-clusterset/rook-clusterset/recall"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/view"
	"github.com/rook-clusterset/rook-clusterset/webhook"
)

// managerOptions are the flags of the manager; the help of each flag is its documentation.
type managerOptions struct {
	cluster        clusterFlags
	namespace      string
	clusterID      string
	globalCIDRs    []string
	allowClusterIP bool
	dnsServer      string
	dnsAnyCluster  bool
	hold           time.Duration
	maxHeld        int
	orphanGrace    time.Duration
	migrate        bool
	settle, slack  time.Duration
	leaderElect    bool
	webhookPort    int
	certDir        string
	clientCA       string
	tlsMinVersion  string
	metricsAddress string
	metricsSecure  bool
	probeAddress   string
	logFormat      string
	logLevel       string
}

func managerCommand(version string) *cobra.Command {
	var o managerOptions
	cmd := &cobra.Command{
		Use:     "manager",
		Short:   "Run the exporter and the admission webhook",
		Args:    flagsAlone,
		Version: version,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runManager(cmd.Context(), version, o, cmd.ErrOrStderr())
		},
	}
	o.addTo(cmd.Flags())
	return cmd
}

func (o *managerOptions) addTo(f *pflag.FlagSet) {
	o.cluster = newClusterFlags(f)
	f.StringVarP(&o.namespace, "namespace", "n", ownNamespace(), "namespace that rook-clusterset is installed in")
	f.StringVar(&o.clusterID, "cluster-id", "", "ID of this cluster in the clusterset; by default it is read from the ClusterProperty cluster.clusterset.k8s.io or from Submariner")
	f.StringSliceVar(&o.globalCIDRs, "global-cidr", nil, "range of this cluster's global IPs, such as 242.0.0.0/16; by default it is read from Submariner")
	f.BoolVar(&o.allowClusterIP, "allow-cluster-ip", false, "accept a Service's own ClusterIP as its global IP: for clustersets whose networks do not overlap")
	f.StringVar(&o.dnsServer, "dns-server", "", "DNS server (host or host:port) for clusterset.local; by default those of /etc/resolv.conf")
	f.BoolVar(&o.dnsAnyCluster, "dns-without-cluster-id", false, "ask DNS for <service>.<namespace>.svc.clusterset.local too; dangerous where a peer has a Service of the same name")
	f.DurationVar(&o.hold, "hold", 20*time.Second, "how long the write of a new daemon waits for its global IP before it is refused; at most 25s")
	f.IntVar(&o.maxHeld, "max-held", 100, "how many writes may wait at once; a quarter of them in one namespace")
	f.DurationVar(&o.orphanGrace, "orphan-grace", time.Hour, "how long an export outlives its daemon; deleting it frees the global IP for good")
	f.BoolVar(&o.migrate, "migrate", true, "move clusters that ran before they were switched on, one mon or OSD at a time")
	f.DurationVar(&o.settle, "migrate-settle", migration.DefaultSettings.Settle, "how long all has to have been well before the next mon or OSD is moved")
	f.DurationVar(&o.slack, "migrate-slack", migration.DefaultSettings.Slack, "how much longer than its own timeout Rook may take to replace a mon, before that is started again")
	f.BoolVar(&o.leaderElect, "leader-elect", true, "let one replica at a time run the exporter")
	f.IntVar(&o.webhookPort, "webhook-port", 9443, "port of the admission webhook")
	f.StringVar(&o.certDir, "cert-dir", "/var/run/rook-clusterset/certs", "directory with tls.crt and tls.key of the webhook; read again when they change")
	f.StringVar(&o.clientCA, "webhook-client-ca", "", "file with the CA of the client certificates that API servers have to show to the webhook; by default anybody is answered")
	f.StringVar(&o.tlsMinVersion, "tls-min-version", "1.3", "oldest version of TLS that is spoken: 1.3, or 1.2 for an API server that is kept from 1.3")
	f.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443", "address of the metrics; 0 switches them off")
	f.BoolVar(&o.metricsSecure, "metrics-secure", true, "serve the metrics over TLS, with the certificate of the webhook, to those whom the cluster lets get /metrics; false serves everybody in the clear")
	f.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	f.StringVar(&o.logFormat, "log-format", "json", "format of the log: json or text")
	f.StringVar(&o.logLevel, "log-level", "info", "least level that is logged: debug, info, warn or error")
}

// maxHold leaves the API server, whose webhook timeout is 30 s, time to hear the refusal.
const maxHold = 25 * time.Second

// complete checks the flags and returns what the rooms want of them.
func (o *managerOptions) complete() ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, text := range o.globalCIDRs {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("--global-cidr %q is not a range of addresses: give one such as 242.0.0.0/16", text)
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	if _, known := tlsVersions[o.tlsMinVersion]; !known {
		return nil, fmt.Errorf("--tls-min-version %q is not known: give 1.3 or 1.2", o.tlsMinVersion)
	}
	if o.hold < 0 || o.hold > maxHold {
		return nil, fmt.Errorf("--hold is %s: give 0s to %s, for the API server waits no longer than 30s", o.hold, maxHold)
	}
	if o.maxHeld < 0 {
		return nil, fmt.Errorf("--max-held is %d: give 0 or more", o.maxHeld)
	}
	if o.orphanGrace < 0 {
		return nil, fmt.Errorf("--orphan-grace is %s: give 0s or more", o.orphanGrace)
	}
	if o.settle < 0 || o.slack < 0 {
		return nil, fmt.Errorf("--migrate-settle is %s and --migrate-slack %s: give 0s or more", o.settle, o.slack)
	}
	return prefixes, nil
}

var tlsVersions = map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

func runManager(ctx context.Context, version string, o managerOptions, errOut io.Writer) error {
	globalCIDRs, err := o.complete()
	if err != nil {
		return err
	}
	logger, err := newLogger(errOut, o.logFormat, o.logLevel)
	if err != nil {
		return err
	}
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)

	mgr, err := o.newManager(ctx, version, globalCIDRs)
	if err != nil {
		return err
	}
	logger.Info("starting", "version", version, "hold", o.hold, "maxHeld", o.maxHeld, "orphanGrace", o.orphanGrace)
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("run the manager: %w", err)
	}
	return nil
}

// newManager puts the rooms together.
func (o *managerOptions) newManager(ctx context.Context, version string, globalCIDRs []netip.Prefix) (ctrl.Manager, error) {
	config, err := o.cluster.restConfig(version)
	if err != nil {
		return nil, err
	}
	clients, err := clientsOf(o.clientCA)
	if err != nil {
		return nil, err
	}
	wanted := append(view.Kinds(), resolver.Kinds()...)
	mgr, err := ctrl.NewManager(config, o.managerOptions(view.Options(wanted, certs.WebhookConfigurationName), clients))
	if err != nil {
		return nil, fmt.Errorf("set up the manager: %w", err)
	}
	prepared, err := newPreparedCache(ctx, mgr)
	if err != nil {
		return nil, err
	}
	if err := view.Index(ctx, mgr.GetFieldIndexer()); err != nil {
		return nil, err
	}
	installed, err := kinds.NewWatch(mgr, wanted)
	if err != nil {
		return nil, fmt.Errorf("set up the watch of kinds: %w", err)
	}
	v := view.New(view.Readers{Cached: mgr.GetCache(), Live: mgr.GetAPIReader(), Prepared: prepared}, installed)
	if o.expectsIPv6(globalCIDRs) {
		v.ExpectIPv6()
	}
	resolves := resolver.New(resolver.Readers{Cached: mgr.GetCache(), Live: mgr.GetAPIReader()}, installed, o.resolverOptions(globalCIDRs))
	v.ExpectRange(globalIPsOf(resolves))
	v.ExpectDoubts(doubtsOf(resolves))
	term := recall.NewTerm()
	if err := o.addElection(mgr, term); err != nil {
		return nil, err
	}
	leading := leaders{Manager: mgr, term: term}
	if err := exporter.Setup(leading, prepared, v, installed, resolves, exporter.Options{OrphanGrace: o.orphanGrace, Term: term}); err != nil {
		return nil, fmt.Errorf("set up the exporter: %w", err)
	}
	if err := migration.Setup(leading, v, installed, term, migration.Settings{Off: !o.migrate, Settle: o.settle, Slack: o.slack}); err != nil {
		return nil, fmt.Errorf("set up migration: %w", err)
	}
	if err := addresses.Setup(leading, v, term); err != nil {
		return nil, fmt.Errorf("set up what machines are told: %w", err)
	}
	ensurer := exporter.NewEnsurer(mgr.GetClient(), mgr.GetAPIReader(), installed)
	if err := webhook.Setup(mgr, v, ensurer, globalRange{resolves}, installed.Subscribe, webhook.Options{Hold: o.hold, MaxHeld: o.maxHeld, Reads: resolver.Kinds()}); err != nil {
		return nil, fmt.Errorf("set up the webhook: %w", err)
	}
	return mgr, addProbes(ctx, mgr, installed, o)
}

func (o *managerOptions) managerOptions(caches cache.Options, clients func(*tls.Config)) ctrl.Options {
	return ctrl.Options{
		Scheme:                 newScheme(),
		Cache:                  caches,
		Metrics:                o.metricsOptions(),
		HealthProbeBindAddress: o.probeAddress,
		WebhookServer: webhookserver.NewServer(webhookserver.Options{
			Port:    o.webhookPort,
			CertDir: o.certDir,
			TLSOpts: append(o.tlsOptions(), clients),
		}),
	}
}

func (o *managerOptions) tlsOptions() []func(*tls.Config) {
	return []func(*tls.Config){func(c *tls.Config) { c.MinVersion = tlsVersions[o.tlsMinVersion] }}
}

// expectsIPv6 says whether the settings let global IPs be IPv6: Submariner, which needs none, knows IPv4 alone.
func (o *managerOptions) expectsIPv6(globalCIDRs []netip.Prefix) bool {
	return o.allowClusterIP || slices.ContainsFunc(globalCIDRs, func(r netip.Prefix) bool { return r.Addr().Is6() && !r.Addr().Is4In6() })
}

func (o *managerOptions) resolverOptions(globalCIDRs []netip.Prefix) resolver.Options {
	return resolver.Options{
		ClusterID:           o.clusterID,
		GlobalCIDRs:         globalCIDRs,
		AllowClusterIP:      o.allowClusterIP,
		DNSServer:           o.dnsServer,
		DNSWithoutClusterID: o.dnsAnyCluster,
	}
}

// newPreparedCache adds the cache of what Rook's prepare Jobs write.
func newPreparedCache(ctx context.Context, mgr ctrl.Manager) (cache.Cache, error) {
	options := view.PreparedOptions()
	options.HTTPClient, options.Scheme, options.Mapper = mgr.GetHTTPClient(), mgr.GetScheme(), mgr.GetRESTMapper()
	prepared, err := cache.New(mgr.GetConfig(), options)
	if err != nil {
		return nil, fmt.Errorf("set up the cache of prepared OSDs: %w", err)
	}
	if err := view.IndexPrepared(ctx, prepared); err != nil {
		return nil, err
	}
	if err := mgr.Add(prepared); err != nil {
		return nil, fmt.Errorf("add the cache of prepared OSDs to the manager: %w", err)
	}
	return prepared, nil
}

// globalRange tells admission what the resolver knows of this cluster's global IPs.
type globalRange struct{ *resolver.Resolver }

// IsGlobal implements webhook.GlobalRange.
func (r globalRange) IsGlobal(ctx context.Context, address netip.Addr) bool {
	m, err := r.Membership(ctx)
	return err == nil && m.IsGlobal(address)
}

// globalIPsOf tells a view which addresses are global. Where the range is not known, it says nothing.
func globalIPsOf(r *resolver.Resolver) func(context.Context) func(netip.Addr) bool {
	return func(ctx context.Context) func(netip.Addr) bool {
		m, err := r.Membership(ctx)
		if err != nil || len(m.GlobalCIDRs) == 0 {
			return nil
		}
		return m.IsGlobal
	}
}

func ownNamespace() string {
	if ns := os.Getenv("POD_NAMESPACE"); ns != "" {
		return ns
	}
	return "rook-clusterset"
}
