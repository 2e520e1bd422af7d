package doctor

import (
	"bytes"
	"context"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/version"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/manifests"
)

func TestEachCheckHasItsSectionInTheOrderOfTheChecksAndNoOtherSectionStandsThere(t *testing.T) {
	text, err := os.ReadFile("../docs/troubleshooting.md")
	require.NoError(t, err)
	var sections, names []string
	for _, match := range regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(string(text), -1) {
		sections = append(sections, match[1])
	}
	for _, check := range Checks() {
		names = append(names, check.Name)
		require.Regexp(t, `^[a-z-]+$`, check.Name, "the heading is the anchor as it is")
	}
	require.Equal(t, names, sections)
}

func TestACheckNeedsOnlyWhatComesBeforeIt(t *testing.T) {
	var earlier []string
	for _, check := range Checks() {
		require.NotContains(t, earlier, check.Name, "two checks of one name")
		if check.Needs != "" {
			require.Contains(t, earlier, check.Needs)
		}
		earlier = append(earlier, check.Name)
	}
}

// reviewer answers questions about rights: everything is allowed but what is forbidden.
func reviewer(forbidden ...string) client.Client {
	scheme := clientgoscheme.Scheme
	return fake.NewClientBuilder().WithScheme(scheme).WithInterceptorFuncs(interceptor.Funcs{
		Create: func(_ context.Context, _ client.WithWatch, o client.Object, _ ...client.CreateOption) error {
			switch review := o.(type) {
			case *authorizationv1.SelfSubjectAccessReview:
				review.Status.Allowed = !slices.Contains(forbidden, review.Spec.ResourceAttributes.Resource)
			case *authorizationv1.SubjectAccessReview:
				review.Status.Allowed = !slices.Contains(forbidden, review.Spec.ResourceAttributes.Resource)
			}
			return nil
		},
	}).Build()
}

func TestWhatTheRightsDoNotReachIsSkippedWithTheRight(t *testing.T) {
	asked := false
	check := Check{Name: "leader", Reads: []right{{"get", "coordination.k8s.io", "leases", leaseName, install}}, Ask: func(context.Context, *Patient) (Finding, error) {
		asked = true
		return well("it is there"), nil
	}}
	found := examine(t.Context(), &Patient{Client: reviewer("leases")}, check, nil)
	require.Equal(t, Skipped, found.Verdict)
	require.True(t, found.Unknown)
	require.Equal(t, "you may not get leases.coordination.k8s.io rook-clusterset-exporter in rook-clusterset", found.Found)
	require.False(t, asked)
	require.Equal(t, OK, examine(t.Context(), &Patient{Client: reviewer()}, check, nil).Verdict)
}

func TestACheckIsSkippedAfterTheFailureOfWhatItNeeds(t *testing.T) {
	check := Check{Name: "certificate", Needs: "cert-manager", Ask: func(context.Context, *Patient) (Finding, error) { return well("never asked"), nil }}
	for verdict, skipped := range map[Verdict]bool{OK: false, Warning: false, Failure: true, Skipped: true} {
		found := examine(t.Context(), &Patient{}, check, Report{{Check: "cert-manager", Finding: Finding{Verdict: verdict}}})
		require.Equal(t, skipped, found.Verdict == Skipped, verdict)
		require.False(t, found.Unknown)
	}
	found := examine(t.Context(), &Patient{}, check, Report{{Check: "cert-manager", Finding: Finding{Verdict: Failure, Unknown: true}}})
	require.True(t, found.Unknown, "what it needs could not be told")
}

func TestAnAPIServerThatDoesNotAnswerLeavesAllElseUntold(t *testing.T) {
	p := &Patient{Client: reviewer(), ServerVersion: func() (*version.Info, error) { return nil, errors.New("connection refused") }}
	report := Examine(t.Context(), p, false)
	require.Equal(t, Failure, report[0].Verdict)
	require.Equal(t, "the API server does not answer: connection refused", report[0].Found)
	for _, result := range report[1:] {
		require.Equal(t, Skipped, result.Verdict, result.Check)
	}
	require.Equal(t, ExitUnknown, report.ExitCode())

	var text bytes.Buffer
	require.NoError(t, report.Text(&text))
	require.Equal(t, 1, strings.Count(text.String(), "see: "), "what only follows from it has nothing of its own to see to")
	require.Regexp(t, `\n1 failure, \d+ skipped: begin with cluster\n$`, text.String())
}

func TestTheLastLineSaysWhereToBegin(t *testing.T) {
	ok, warned, failed := Result{Check: "a", Finding: well("it is")}, Result{Check: "b", Finding: warns("look", "it may not be")}, Result{Check: "c", Finding: fails("mend it", "it is not")}
	untold, nothing := Result{Check: "d", Finding: notTold("you may not")}, Result{Check: "e", Finding: nothingThere("there is none")}
	for want, report := range map[string]Report{
		"1 failure, 1 warning, 1 skipped, 1 ok: begin with c": {ok, warned, untold, failed},
		"1 warning, 1 skipped: begin with b":                  {untold, warned},
		"1 skipped, 1 ok: begin with d":                       {ok, untold},
		"1 skipped, 1 ok":                                     {ok, nothing},
	} {
		var text bytes.Buffer
		require.NoError(t, report.Text(&text))
		lines := strings.Split(strings.TrimSpace(text.String()), "\n")
		require.Equal(t, want, lines[len(lines)-1])
	}
}

func TestTheExitCodeTellsWrongFromUntold(t *testing.T) {
	result := func(verdict Verdict, unknown bool) Result {
		return Result{Finding: Finding{Verdict: verdict, Unknown: unknown}}
	}
	for name, c := range map[string]struct {
		report Report
		want   int
	}{
		"all is well":                 {Report{result(OK, false), result(Skipped, false)}, ExitWell},
		"a warning":                   {Report{result(OK, false), result(Warning, false)}, ExitNotWell},
		"a failure":                   {Report{result(Failure, false)}, ExitNotWell},
		"something could not be told": {Report{result(OK, false), result(Skipped, true)}, ExitUnknown},
		"a failure beside what could not be told": {Report{result(Skipped, true), result(Failure, false)}, ExitNotWell},
	} {
		require.Equal(t, c.want, c.report.ExitCode(), name)
	}
}

func TestTheRightsThatAreAskedForAreThoseOfTheManifests(t *testing.T) {
	var granted []right
	for _, document := range regexp.MustCompile(`(?m)^---$`).Split(string(manifests.Install), -1) {
		var role rbacv1.ClusterRole
		require.NoError(t, yaml.Unmarshal([]byte(document), &role))
		in, ours := map[string]scope{"ClusterRole": everywhere, "Role": install}[role.Kind]
		if !ours || role.Name != "rook-clusterset" {
			continue
		}
		for _, rule := range role.Rules {
			for _, resource := range rule.Resources {
				for _, name := range append(rule.ResourceNames, make([]string, max(0, 1-len(rule.ResourceNames)))...) {
					for _, verb := range rule.Verbs {
						granted = append(granted, right{verb, rule.APIGroups[0], resource, name, in})
					}
				}
			}
		}
	}
	require.ElementsMatch(t, granted, managerRights())
}

func TestARightThatRookClustersetLacksIsNamed(t *testing.T) {
	found, err := askRights(t.Context(), &Patient{Client: reviewer("servicecidrs")})
	require.NoError(t, err)
	require.Equal(t, Failure, found.Verdict)
	require.Equal(t, []string{"list servicecidrs.networking.k8s.io"}, found.Details)
}

func TestASubresourceIsAskedForAsSuch(t *testing.T) {
	asked := right{"update", "apps", "deployments/scale", "", looked}.attributes("rook-ceph")
	require.Equal(t, &authorizationv1.ResourceAttributes{Verb: "update", Group: "apps", Resource: "deployments", Subresource: "scale", Namespace: "rook-ceph"}, asked)
}
