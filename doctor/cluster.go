package doctor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/version"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/view"
)

func clusterChecks() []Check {
	return []Check{
		{Name: "cluster", Before: true, Ask: askCluster},
		{Name: "kinds", Needs: "cluster", Before: true, Ask: askKinds},
	}
}

// leastMinor is the oldest Kubernetes 1.x whose admission has what the webhook configuration needs: matchConditions.
const leastMinor = 30

func askCluster(_ context.Context, p *Patient) (Finding, error) {
	info, err := p.ServerVersion()
	if err != nil {
		f := fails("See that the context is the right one: kubectl cluster-info", "the API server does not answer: %s", oneLine(err.Error()))
		f.Unknown = true
		return f, nil
	}
	return ofVersion(info), nil
}

func ofVersion(info *version.Info) Finding {
	minor, err := strconv.Atoi(strings.TrimRight(info.Minor, "+"))
	switch {
	case err != nil:
		return warns("See that it is Kubernetes 1.30 or later.", "the API server says that it is %q", info.GitVersion)
	case info.Major == "1" && minor < leastMinor:
		return fails("Upgrade Kubernetes to 1.30 or later.", "Kubernetes %s is older than 1.%d", info.GitVersion, leastMinor)
	}
	return well("Kubernetes %s answers", info.GitVersion)
}

// servedKind is a kind and the version in which it is served, empty for one that is not.
type servedKind struct {
	kinds.Kind
	version string
}

func askKinds(_ context.Context, p *Patient) (Finding, error) {
	read := func(wanted []kinds.Kind) []servedKind {
		var found []servedKind
		for _, kind := range wanted {
			gvk, _ := p.Installed.Served(kind.GroupKind)
			found = append(found, servedKind{kind, gvk.Version})
		}
		return found
	}
	return ofKinds(read(view.Kinds()), read(resolver.Kinds())), nil
}

func ofKinds(needed, telling []servedKind) Finding {
	var missing, names []string
	for _, kind := range needed {
		switch {
		case kind.version == "":
			missing = append(missing, kind.String()+" is not installed")
		case !slices.Contains(kind.Versions, kind.version):
			missing = append(missing, fmt.Sprintf("%s is served as %s, and is read as %s", kind, kind.version, strings.Join(kind.Versions, " or ")))
		default:
			names = append(names, kind.Kind.Kind+" "+kind.version)
		}
	}
	if len(missing) > 0 {
		return fails("Install Rook's CRDs, or those of the MCS implementation.", "%s", strings.Join(missing, "; "))
	}
	told := false
	for _, kind := range telling {
		if name := kind.Kind.Kind + " " + kind.version; kind.version != "" && !slices.Contains(names, name) {
			names, told = append(names, name), true
		}
	}
	if !told {
		return warns("Install an MCS implementation that gives global IPs, or see that the clusterset DNS tells them.",
			"%s are there, and no kind that tells global IPs", strings.Join(names, ", "))
	}
	return well("%s", strings.Join(names, ", "))
}
