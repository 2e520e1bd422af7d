// Package doctor examines a cluster along the way that an address travels, and says at which step it ends. It changes
// nothing, and asks the room that knows rather than decide anew.
package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Check is one step of the way.
type Check struct {
	// Name is also the anchor of the page that explains the check.
	Name string
	// Needs names an earlier check without which this one has nothing to look at.
	Needs string
	// Before says that the check means something before rook-clusterset is installed, and OnlyBefore that it does so only then.
	Before, OnlyBefore bool
	// Reads are the rights without which it cannot be told.
	Reads []right
	// Ask returns what was found. An error is something that could not be told.
	Ask func(context.Context, *Patient) (Finding, error)
}

// page is where each check has its section.
const page = "https://github.com/rook-clusterset/rook-clusterset/blob/main/docs/troubleshooting.md"

// Link leads to the section about the check.
func (c Check) Link() string { return page + "#" + c.Name }

// Checks returns all checks in the order in which an address travels.
func Checks() []Check {
	return slices.Concat(clusterChecks(), certificateChecks(), admissionChecks(), rightsChecks(), clustersetChecks(), rookChecks(), daemonChecks(), conditionChecks())
}

// Examine carries out the checks that mean something, before the install or after it.
func Examine(ctx context.Context, p *Patient, before bool) Report {
	var report Report
	for _, check := range Checks() {
		if before && !check.Before || !before && check.OnlyBefore {
			continue
		}
		result := Result{Check: check.Name, Finding: examine(ctx, p, check, report)}
		// What an earlier check keeps from being told has nothing of its own to do.
		if result.Do != "" {
			result.Link = check.Link()
		}
		report = append(report, result)
	}
	return report
}

func examine(ctx context.Context, p *Patient, check Check, report Report) Finding {
	for _, earlier := range report {
		if earlier.Check == check.Needs && (earlier.Verdict == Failure || earlier.Verdict == Skipped) {
			return Finding{Verdict: Skipped, Found: "it needs the check " + check.Needs, Unknown: earlier.Unknown}
		}
	}
	if missing := p.mayNot(ctx, check.Reads); len(missing) > 0 {
		return notTold("you may not " + strings.Join(missing, ", nor "))
	}
	finding, err := check.Ask(ctx, p)
	if err != nil {
		return untold(err)
	}
	return finding
}

// untold is for what could not be told because of an error.
func untold(err error) Finding {
	if apierrors.IsForbidden(err) {
		return notTold(fmt.Sprintf("you have not the right: %v", err))
	}
	return Finding{Verdict: Skipped, Found: oneLine(err.Error()), Unknown: true, Do: "Run the check again; if that does not help, see to what the message names."}
}

func notTold(why string) Finding {
	return Finding{Verdict: Skipped, Found: oneLine(why), Unknown: true, Do: "Run the check with the rights of an administrator, or give yourself these."}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
