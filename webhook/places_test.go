package webhook

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// takeAll takes as many of such places as there are.
func (p *places) takeAll(at place) int {
	n := 0
	for p.take(at) == "" {
		n++
	}
	return n
}

func TestNobodyTakesThePlacesOfOthers(t *testing.T) {
	rooks, endpoints := place{namespace: rookNamespace}, place{namespace: rookNamespace, endpoints: true}
	for name, tc := range map[string]struct {
		all       int
		attackers int
		each      int
		left      int
		endpoints int
	}{
		"the writes of one namespace":           {all: 100, attackers: 1, each: 25, left: 25, endpoints: 2},
		"those of three":                        {all: 100, attackers: 3, each: 25, left: 15, endpoints: 2},
		"those of many leave room for the mons": {all: 100, attackers: 9, left: 0, endpoints: 2},
		"a few places":                          {all: 4, attackers: 1, each: 1, left: 1, endpoints: 2},
		"one place":                             {all: 1, attackers: 0, left: 1, endpoints: 0},
		"none":                                  {all: 0, attackers: 1, each: 0, left: 0, endpoints: 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlaces(tc.all)
			for i := range tc.attackers {
				attacker := place{namespace: fmt.Sprintf("tenant-%d", i)}
				taken := p.takeAll(attacker)
				if tc.each > 0 {
					require.Equal(t, tc.each, taken)
				}
			}
			require.Equal(t, tc.left, p.takeAll(rooks))
			require.Equal(t, tc.endpoints, p.takeAll(endpoints))
		})
	}
}

func TestAPlaceThatIsGivenBackIsFree(t *testing.T) {
	p := newPlaces(100)
	at := place{namespace: rookNamespace}
	all := p.takeAll(at)
	require.Equal(t, reason.HoldShareTaken, p.take(at))
	for range all {
		p.giveBack(at)
	}
	require.Empty(t, p.taken)
	require.Equal(t, all, p.takeAll(at))
}
