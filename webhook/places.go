package webhook

import "github.com/rook-clusterset/rook-clusterset/reason"

// place is what a held request takes: in its namespace, and among those of mon endpoints or of Deployments.
type place struct {
	namespace string
	endpoints bool
}

const (
	// namespaceShare is the part of all places that the Deployments of one namespace may take, so that whoever may write there
	// cannot keep another CephCluster from coming up. Rook writes one daemon after the other, and needs one or two.
	namespaceShare = 4
	// endpointsShare is the part that is kept for mon endpoints, which decide whether a cluster comes up at all.
	endpointsShare = 10
	// endpointsAtOnce is how many of these one namespace may hold: it has one such ConfigMap, and one operator that writes it.
	endpointsAtOnce = 2
)

// places are how many requests may be held at once, and who has them.
type places struct {
	all   int
	taken map[place]int
}

func newPlaces(most int) *places { return &places{all: most, taken: map[place]int{}} }

// take takes a place, or says why there is none.
func (p *places) take(at place) reason.Code {
	taken, deployments := 0, 0
	for other, n := range p.taken {
		taken += n
		if !other.endpoints {
			deployments += n
		}
	}
	switch {
	case p.taken[at] >= p.share(at):
		return reason.HoldShareTaken
	case taken >= p.all || !at.endpoints && deployments >= p.all-p.all/endpointsShare:
		return reason.HoldFull
	}
	p.taken[at]++
	return ""
}

// share is how many of such places there may be.
func (p *places) share(at place) int {
	if at.endpoints {
		return endpointsAtOnce
	}
	return max(1, p.all/namespaceShare)
}

func (p *places) giveBack(at place) {
	if p.taken[at]--; p.taken[at] == 0 {
		delete(p.taken, at)
	}
}
