package scenarios_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/doctor"
	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

// check runs `rook-clusterset check`.
func (s *story) check(args ...string) (doctor.Report, int) {
	s.t.Helper()
	said, err := s.World.Run(s.t.Context(), append([]string{"check", "-o", "json"}, args...)...)
	require.NoError(s.t, err)
	require.Empty(s.t, said.Err)
	var report doctor.Report
	require.NoError(s.t, json.Unmarshal([]byte(said.Out), &report))
	return report, said.Code
}

func resultOf(report doctor.Report, check string) doctor.Result {
	return report[slices.IndexFunc(report, func(r doctor.Result) bool { return r.Check == check })]
}

// firstFault returns the first check that found something wrong, or nothing.
func firstFault(report doctor.Report) doctor.Result {
	for _, result := range report {
		if (result.Verdict == doctor.Failure || result.Verdict == doctor.Warning) && !result.Unknown {
			return result
		}
	}
	return doctor.Result{}
}

// examinedWorld is a world of its own, whose replicas have pods: what is brought about here would disturb the other stories.
func examinedWorld(t *testing.T) *story {
	t.Helper()
	w, err := world.Start(t.Context(), mcsstandin.Options{FreshAddresses: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Stop()) })
	require.NoError(t, ceph.PlayKubelet(t.Context(), w.Plane.Client, controlplane.Namespace, rookstandin.DefaultNodes))
	return storyOf(t, w, "rook-ceph", true)
}

// isWell waits until every check is.
func (s *story) isWell() {
	s.t.Helper()
	report, code := s.check("--wait=90s")
	require.Equal(s.t, doctor.ExitWell, code, "%+v", report)
}

// finds waits until a check is the first that is not well, for checks go by what the API server has, and that takes a moment.
func (s *story) finds(check string) doctor.Result {
	s.t.Helper()
	var report doctor.Report
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); {
		var code int
		report, code = s.check()
		if found := firstFault(report); found.Check == check {
			require.Equal(s.t, doctor.ExitNotWell, code)
			require.NotEmpty(s.t, found.Do)
			require.Equal(s.t, "https://github.com/rook-clusterset/rook-clusterset/blob/main/docs/troubleshooting.md#"+check, found.Link)
			return found
		}
	}
	require.Fail(s.t, "the first that is not well is to be "+check, "%+v", report)
	return doctor.Result{}
}

// asksDNS asserts that DNS is asked where it can be reached, and that its fault is named and no more than a warning: no address
// hangs on it.
func (s *story) asksDNS() {
	s.t.Helper()
	server := "--dns-server=" + s.World.MCS.DNSAddr()
	report, code := s.check(server, "--wait=90s")
	require.Equal(s.t, doctor.ExitWell, code, "%+v", report)
	require.Equal(s.t, doctor.OK, resultOf(report, "dns").Verdict)

	s.World.MCS.SetDNSFault(mcsstandin.DNSServerFailure)
	report, code = s.check(server)
	s.World.MCS.SetDNSFault(mcsstandin.DNSHealthy)
	require.Equal(s.t, doctor.ExitNotWell, code)
	require.Equal(s.t, "dns", firstFault(report).Check)
	require.Equal(s.t, doctor.Warning, firstFault(report).Verdict)
	require.Contains(s.t, firstFault(report).Details[0], "the DNS server failed")
}

// everyCheckIsNamedByAFault but those that are brought about elsewhere: an API server that does not answer, what is asked before the
// install alone, and what is wrong with DNS.
func everyCheckIsNamedByAFault(t *testing.T) {
	t.Helper()
	named := []string{"cluster", "install-rights", "dns"}
	for _, fault := range faults() {
		named = append(named, fault.check)
	}
	for _, check := range doctor.Checks() {
		require.Contains(t, named, check.Name, "no fault is brought about that the check has to name")
	}
}

func TestCheckNamesTheStepAtWhichAnAddressGetsNoFurther(t *testing.T) {
	everyCheckIsNamedByAFault(t)
	waitsFor(t, own, 1)
	s := examinedWorld(t)
	before, code := s.check("--pre", "-n", s.Namespace)
	require.Equal(t, doctor.ExitWell, code, "%+v", before)

	s.operatorRuns(1)
	s.bringsUp()
	s.settled()
	s.isWell()
	s.asksDNS()
	for _, fault := range faults() {
		t.Run(fault.name, func(t *testing.T) {
			outer := s.t
			s.t = t
			defer func() { s.t = outer }()
			heal := fault.bringAbout(s)
			// Also after a failure, which the next fault is not to be blamed for.
			defer func() {
				if heal != nil {
					heal()
					s.isWell()
				}
			}()
			require.Contains(t, s.finds(fault.check).Found, fault.found)
		})
	}
}

func TestCheckSaysWhichStepsTheRightsDoNotReach(t *testing.T) {
	s := newStory(t, true)
	report, code := s.check("--as=nobody", "--as-group=system:authenticated", "-n", s.Namespace)
	require.Equal(t, doctor.ExitUnknown, code, "%+v", report)
	for _, result := range report {
		switch result.Check {
		case "cluster", "kinds", "cert-manager":
			require.Equal(t, doctor.OK, result.Verdict, result.Check)
		default:
			require.Equal(t, doctor.Skipped, result.Verdict, result.Check)
			require.True(t, result.Unknown, result.Check)
		}
	}
}
