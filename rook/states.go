package rook

import (
	"slices"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// States returns every code that DaemonFacts.State can have, in the order in which an address travels: for whoever shows or
// counts them all.
func States() []reason.Code {
	return slices.Concat(
		[]reason.Code{reason.ExportMissing, reason.ExportForeign, reason.ExportNotValid, reason.ExportStuck, reason.AddressUnknown},
		refusals(),
		[]reason.Code{
			reason.NoDeployment, reason.IdentityCluster, reason.AddressForeign, reason.NotAdvertised, reason.EndpointWrong,
			reason.AddressDrifted, reason.Leaving, reason.OK,
		},
	)
}

// refusals are the codes for which no answer of the sources could be taken, as RefusedAnnotation keeps them.
func refusals() []reason.Code {
	return []reason.Code{
		reason.NoSource, reason.NoAnswer, reason.GlobalIPNotAllocated, reason.ClusterIDUnknown,
		reason.DNSNameError, reason.DNSNoData, reason.DNSServerFailure, reason.DNSTimeout, reason.SourceUnreadable,
		reason.MalformedAddress, reason.SeveralAddresses, reason.SeveralExporters, reason.SourcesDisagree, reason.Unroutable,
		reason.IsClusterIP, reason.ServiceAddress, reason.GlobalCIDRUnknown, reason.OutsideGlobalCIDR, reason.InsidePeerCIDR,
		reason.UsedByAnother,
	}
}
