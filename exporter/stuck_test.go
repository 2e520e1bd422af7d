package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestAnExportThatDoesNotKnowOfItsAddressIsToldOfAfterAMoment(t *testing.T) {
	none := func(e *rook.Export) {
		e.Valid, e.ValidReason, e.ValidMessage = metav1.ConditionFalse, "ServiceGlobalIPUnavailable", "Service doesn't have a global IP yet"
		e.Identity = rook.IdentityClusterset
	}
	for name, c := range map[string]struct {
		export    func(*rook.Export)
		age       time.Duration
		allocated string
		want      reason.Code
		again     time.Duration
	}{
		"a mon's":                                {none, 15 * time.Second, "242.0.0.1", reason.ExportStuck, 0},
		"not while it is fresh":                  {none, 5 * time.Second, "242.0.0.1", "", 10 * time.Second},
		"not while Globalnet has given none":     {none, time.Minute, "", "", 0},
		"not one that is not Valid for another":  {func(e *rook.Export) { none(e); e.ValidReason = "ServiceUnavailable" }, time.Minute, "242.0.0.1", "", 0},
		"not once it is Valid":                   {func(e *rook.Export) { none(e); e.Valid = metav1.ConditionTrue }, time.Minute, "242.0.0.1", "", 0},
		"not of a mon that lives with its own":   {func(e *rook.Export) { none(e); pinnedAt("242.0.0.1")(e); e.Valid = metav1.ConditionFalse }, time.Minute, "242.0.0.1", "", 0},
		"not of one that somebody else exported": {func(e *rook.Export) { none(e); e.Ours = false }, time.Minute, "242.0.0.1", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := aCluster()
			f.services[monA] = monService(monA, "10.96.0.1")
			e := known(monA, c.export)
			e.Created = noon.Add(-c.age)
			f.exports[monA] = e
			facts := f.of(monA)
			if c.allocated != "" {
				facts.allocated = addr(c.allocated)
			}
			p := makePlan(facts)
			var refused reason.Code
			if p.annotate != nil {
				refused = p.annotate.Refused
			}
			require.Equal(t, c.want, refused)
			require.Equal(t, c.again, p.again)
			if c.want != "" {
				require.Equal(t, "the GlobalIngressIP has 242.0.0.1, and the ServiceExport says ServiceGlobalIPUnavailable: Service doesn't have a global IP yet", p.annotate.RefusedDetail)
				require.Equal(t, c.want, p.annotate.Why(facts.daemon).Code)
			}
		})
	}
}

func TestWhatGlobalnetGaveIsAskedForWhereAnExportSaysItHasNone(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), monService(monA, "10.96.0.1"))
	l.settle()
	l.allocated = map[string]string{monA: "242.0.0.1"}
	l.report(monA, "False", "ServiceGlobalIPUnavailable")
	l.settle()
	require.Equal(t, reason.ExportStuck, l.export(monA).Refused)
	l.answers = map[string]string{monA: "242.0.0.1"}
	l.report(monA, "True", "Valid")
	l.settle()
	require.Empty(t, l.export(monA).Refused)
	require.Equal(t, addr("242.0.0.1"), l.export(monA).GlobalIP)
}
