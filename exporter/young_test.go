package exporter

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestNothingIsCalledAnOrphanWhileItIsYoung(t *testing.T) {
	lone := func(age time.Duration) facts {
		f := aCluster()
		f.services[osd0] = ownService(f, osd0, "10.96.1.0")
		f.services[osd0].CreationTimestamp = metav1.NewTime(noon.Add(-age))
		return f.of(osd0)
	}
	exported := func(name string, age time.Duration) facts {
		f := aCluster()
		e := known(name, nil)
		e.Created = noon.Add(-age)
		f.exports[name] = e
		return f.of(name)
	}
	replaced := exported(monA, time.Minute)
	replaced.hadDeployment = true
	for name, c := range map[string]struct {
		facts  facts
		marked bool
		again  time.Duration
	}{
		"the Service of an OSD whose export comes next": {lone(time.Second), false, 5*time.Minute - time.Second},
		"a Service that is not young any more":          {lone(5 * time.Minute), true, time.Hour},
		"the export of an OSD whose Deployment is held": {exported(osd0, time.Minute), false, 4 * time.Minute},
		"an export of an OSD that is not young":         {exported(osd0, 5*time.Minute), true, time.Hour},
		"the export of a mon":                           {exported(monA, time.Minute), false, 4 * time.Minute},
		"the young export of a mon that was replaced":   {replaced, true, time.Hour},
		"an export of a mon that is not young":          {exported(monA, 5*time.Minute), true, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			p := makePlan(c.facts)
			marked := p.mark != nil || p.annotate != nil && !p.annotate.OrphanedSince.IsZero()
			require.Equal(t, c.marked, marked)
			require.Equal(t, c.again, p.again)
			require.Empty(t, p.remove)
		})
	}
	short := lone(time.Minute)
	short.grace = 30 * time.Second
	require.NotNil(t, makePlan(short).mark, "who wants a short grace gets one")
}

func TestNothingIsWrittenToAServiceAtBirthButOnce(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	l.answers = map[string]string{osd0: "242.0.1.0"}
	l.settle()
	toServices := func(writes []string) []string {
		return slices.DeleteFunc(writes, func(w string) bool { return !strings.HasPrefix(w, "apply Service ") && w != "patch "+osd0 })
	}
	var written []string
	turn := func() {
		t.Helper()
		_, writes, _ := l.turn()
		written = append(written, toServices(writes)...)
	}
	// Admission writes the Service, then the export; the leader may look in between, and before the Deployment is stored.
	service := ownService(aCluster(), osd0, "10.96.1.0")
	service.UID, service.ResourceVersion, service.CreationTimestamp = "", "", metav1.NewTime(noon)
	l.create(service)
	turn()
	export := newExport(serviceExport, rookDaemon(osd0))
	export.SetCreationTimestamp(metav1.NewTime(noon))
	l.create(export)
	turn()
	l.report(osd0, "True", "Valid")
	turn()
	l.create(deployment(osd0, "242.0.1.0"))
	turn()
	require.Equal(t, addr("242.0.1.0"), l.export(osd0).GlobalIP)
	require.Empty(t, written)
}
