// Package resolver finds the global IP of an exported Service.
// It asks every source that the cluster has, and lets no answer pass that the guards refuse.
package resolver

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
)

// Request names the exported Service whose global IP is wanted.
type Request struct {
	Namespace, Name string
	// ClusterIPs are the Service's own, which are not global.
	ClusterIPs []netip.Addr
	// Known is the address that the Service is known to have; what speaks against a new one is not looked for again.
	Known netip.Addr
	// ForLife says that an address, once it is taken, can never be changed.
	ForLife bool
	// Source is where a known address was found.
	Source string
	// Latest has the sources that are objects read from the API server itself: a cache can be seconds behind.
	Latest bool
}

// Answer is a global IP and the source that told it. With an error beside it, it has no address, and the source if the error is
// due to a single one.
type Answer struct {
	IP     netip.Addr
	Source string
}

// Source is one place where a global IP can stand.
type Source interface {
	// Name returns the name of the source, as it is noted beside its answer.
	Name() string
	// Reads returns the kinds of the objects that the source reads.
	Reads() []kinds.Kind
	// Lookup returns the address of the Service, or a *reason.Error. The code reason.NoAnswer means that the
	// source has nothing to say of the Service, or is not there at all.
	Lookup(ctx context.Context, r Request, m Membership) (netip.Addr, error)
}

// Options are the settings that a user makes.
type Options struct {
	// ClusterID overrides what the cluster says of itself.
	ClusterID string
	// GlobalCIDRs override what Submariner says of the ranges of this cluster.
	GlobalCIDRs []netip.Prefix
	// AllowClusterIP lets a Service's own ClusterIP pass as its global IP, for networks that do not overlap.
	AllowClusterIP bool
	// DNSServer is a host, with or without a port; empty means the servers of ResolvConf.
	DNSServer string
	// DNSWithoutClusterID asks the DNS for the name without a cluster ID, which a peer's Service can answer.
	DNSWithoutClusterID bool
	// ResolvConf is the file that names the DNS servers; empty means /etc/resolv.conf.
	ResolvConf string
	// DNSTryTimeout bounds one question to one DNS server; 0 means 1 s.
	DNSTryTimeout time.Duration
	// DNSTimeout bounds all questions of one lookup; 0 means 3 s.
	DNSTimeout time.Duration
}

// Resolver tells global IPs. It keeps nothing between two calls and is safe for concurrent use.
type Resolver struct {
	objects
	live    client.Reader
	options Options
	// told are the sources that are objects; they are asked all, and compared.
	told []Source
	// latest are the same, read from the API server itself.
	latest        []Source
	latestObjects objects
	// asked is a question over the network, which is put only where no object tells.
	asked Source
}

// Readers are where objects are read.
type Readers struct {
	// Cached has the objects of the kinds that Kinds returns.
	Cached client.Reader
	// Live asks the API server for what is not worth a cache.
	Live client.Reader
}

// New returns a Resolver that reads objects of the kinds that are served.
func New(readers Readers, installed kinds.Installed, opts Options) *Resolver {
	o := objects{kinds.Reader{Objects: readers.Cached, Installed: installed}}
	latest := objects{kinds.Reader{Objects: readers.Live, Installed: installed}}
	return &Resolver{
		objects:       o,
		live:          readers.Live,
		options:       opts,
		told:          objectSources(o, opts.AllowClusterIP),
		latest:        objectSources(latest, opts.AllowClusterIP),
		latestObjects: latest,
		asked:         newClustersetDNS(opts),
	}
}

// AllowsClusterIP says whether a Service's own ClusterIP passes as its global IP.
func (r *Resolver) AllowsClusterIP() bool { return r.options.AllowClusterIP }

// objectSources are the sources that are objects, the best first.
func objectSources(o objects, allowClusterIP bool) []Source {
	return []Source{globalIngressIP{o}, clusterImport{o}, serviceImport{o, allowClusterIP}}
}

// Kinds returns the kinds that tell global IPs, or what is to be known of this cluster to believe them.
func Kinds() []kinds.Kind {
	read := membershipKinds()
	for _, source := range objectSources(objects{}, false) {
		read = append(read, source.Reads()...)
	}
	return read
}

// Resolve returns the global IP of the Service in a cluster of that membership. Every error is a *reason.Error.
func (r *Resolver) Resolve(ctx context.Context, req Request, m Membership) (Answer, error) {
	answer, refusal := r.compare(ctx, req, m)
	if refusal != nil && silent(refusal.Code) {
		answer, refusal = r.ask(ctx, req, m, refusal)
	}
	return r.believe(ctx, answer, refusal, req, m)
}

// Told returns what the objects alone say of the Service, for whoever looks at the sources one by one. Every error is a
// *reason.Error.
func (r *Resolver) Told(ctx context.Context, req Request, m Membership) (Answer, error) {
	answer, refusal := r.compare(ctx, req, m)
	return r.believe(ctx, answer, refusal, req, m)
}

// AskDNS returns what the clusterset DNS says of the Service, whatever the objects do. Every error is a *reason.Error.
func (r *Resolver) AskDNS(ctx context.Context, req Request, m Membership) (Answer, error) {
	ip, err := r.asked.Lookup(ctx, req, m)
	if err != nil {
		return Answer{}, asReason(err)
	}
	return Answer{IP: ip, Source: r.asked.Name()}, nil
}

// believe lets no answer pass that the guards refuse.
func (r *Resolver) believe(ctx context.Context, answer Answer, refusal *reason.Error, req Request, m Membership) (Answer, error) {
	refused := Answer{Source: answer.Source}
	if refusal != nil {
		return refused, refusal
	}
	if refusal := Guard(answer.IP, req, m, r.options.AllowClusterIP); refusal != nil {
		return refused, reason.Errorf(refusal.Code, "%s says %s", answer.Source, refusal.Detail)
	}
	if refusal := r.vouch(ctx, answer, req, m); refusal != nil {
		return refused, refusal
	}
	if refusal := r.settled(ctx, answer, req); refusal != nil {
		return refused, refusal
	}
	return answer, nil
}

// compare returns the answer on which all objects that have one agree. An object that is there but wrong is not
// passed over: nobody knows which of the others to believe then.
func (r *Resolver) compare(ctx context.Context, req Request, m Membership) (Answer, *reason.Error) {
	var answers []Answer
	var telling *reason.Error
	var silences []string
	sources := r.told
	if req.Latest {
		sources = r.latest
	}
	for _, source := range sources {
		ip, err := source.Lookup(ctx, req, m)
		if err != nil {
			refusal := asReason(err)
			switch {
			case !silent(refusal.Code):
				return Answer{Source: source.Name()}, refusal
			case refusal.Code != reason.NoAnswer:
				telling = refusal
			}
			silences = append(silences, refusal.Detail)
			continue
		}
		answers = append(answers, Answer{IP: ip, Source: source.Name()})
	}
	switch {
	case slices.ContainsFunc(answers, func(a Answer) bool { return a.IP != answers[0].IP }):
		return r.breakTie(ctx, req, answers)
	case len(answers) > 0:
		return answers[0], nil
	case telling != nil:
		return Answer{}, telling
	}
	return Answer{}, reason.Errorf(reason.NoAnswer, "%s", strings.Join(silences, "; "))
}

// ask puts the question over the network. Of two failures the one is told that says more: why an object that is
// there does not help, and where objects can tell, the lack of a DNS server is no lack of sources.
func (r *Resolver) ask(ctx context.Context, req Request, m Membership, silence *reason.Error) (Answer, *reason.Error) {
	ip, err := r.asked.Lookup(ctx, req, m)
	if err == nil {
		return Answer{IP: ip, Source: r.asked.Name()}, nil
	}
	refusal := asReason(err)
	source, first, second := r.asked.Name(), refusal, silence
	if silence.Code != reason.NoAnswer || refusal.Code == reason.NoSource && r.tellable() {
		source, first, second = "", silence, refusal
	}
	return Answer{Source: source}, reason.Errorf(first.Code, "%s; %s", first.Detail, second.Detail)
}

// tellable says whether a kind is installed whose objects can tell global IPs.
func (r *Resolver) tellable() bool {
	for _, source := range r.told {
		for _, kind := range source.Reads() {
			if _, ok := r.Installed.Served(kind.GroupKind); ok {
				return true
			}
		}
	}
	return false
}

// silent tells a source that has nothing to say of this cluster from one that says something wrong.
func silent(code reason.Code) bool {
	return code == reason.NoAnswer || code == reason.SeveralExporters || code == reason.ServiceAddress
}

func asReason(err error) *reason.Error {
	if refusal, ok := errors.AsType[*reason.Error](err); ok {
		return refusal
	}
	return reason.Errorf(reason.SourceUnreadable, "%v", err)
}
