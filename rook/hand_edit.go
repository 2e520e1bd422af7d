package rook

import (
	"fmt"
	"strings"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// tellWriter lets who edited the mon endpoints by hand know what was changed in the edit, and how a mon is handed over.
func (f EndpointsFacts) tellWriter(d *EndpointsDecision) {
	now := Listed(d.Corrected)
	var told []string
	for _, e := range d.Wrong {
		told = append(told, fmt.Sprintf("%s is kept at %s instead of %s", Daemon{Type: Mon, ID: e.ID}, now[e.ID], e.Addr.Addr()))
	}
	if len(d.Wrong) == 0 {
		told = append(told, EndpointsCSIKey+" is kept at the addresses of the mons")
	}
	if d.Message != "" {
		told = append(told, d.Message)
	}
	d.Message = reason.Shorten(strings.Join(told, "; "), mostDetail)
	if d.Code == reason.EndpointsCorrected {
		d.Code = reason.HandEditCorrected
	}
	if len(d.Wrong) > 0 {
		mon := Daemon{Type: Mon, ID: d.Wrong[0].ID}
		d.Advice = fmt.Sprintf("a mon keeps its address for life; to hand it over, let Rook replace it: "+
			"kubectl -n %s scale deployment %s --replicas=0, and wait for Rook's failover", f.New.Namespace, mon.Name())
	}
}
