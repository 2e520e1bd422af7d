package rookstandin

import (
	"fmt"
	"strconv"
	"strings"
)

// Release is a release of Rook 1.
type Release struct {
	Minor int
	Patch int
}

// ParseRelease reads a release as it is written: v1.20.6 or 1.20.6.
func ParseRelease(text string) (Release, error) {
	parts := strings.Split(strings.TrimPrefix(text, "v"), ".")
	if len(parts) != 3 || parts[0] != "1" {
		return Release{}, fmt.Errorf("release %q is not of the form v1.MINOR.PATCH", text)
	}
	minor, err := strconv.Atoi(parts[1])
	if err != nil {
		return Release{}, fmt.Errorf("release %q: %w", text, err)
	}
	patch, err := strconv.Atoi(parts[2])
	if err != nil {
		return Release{}, fmt.Errorf("release %q: %w", text, err)
	}
	return Release{Minor: minor, Patch: patch}, nil
}

// String returns the release as Rook's label rook-version has it.
func (r Release) String() string { return fmt.Sprintf("v1.%d.%d", r.Minor, r.Patch) }

func (r Release) atLeast(minor, patch int) bool {
	return r.Minor > minor || r.Minor == minor && r.Patch >= patch
}

// What differs between the releases.

func (r Release) hasStretchZoneLabel() bool   { return !r.atLeast(12, 0) }
func (r Release) hasOSDStoreLabel() bool      { return r.atLeast(12, 0) }
func (r Release) hasServiceAccounts() bool    { return r.atLeast(14, 0) }
func (r Release) bindsMsgr2PortOnly() bool    { return r.atLeast(14, 3) }
func (r Release) hasDeviceTypeLabel() bool    { return r.atLeast(15, 0) }
func (r Release) hasMonDaemonLabel() bool     { return r.atLeast(15, 7) }
func (r Release) hasEncryptedLabel() bool     { return r.atLeast(16, 0) }
func (r Release) hasExternalMons() bool       { return r.atLeast(17, 0) }
func (r Release) hasActiveMonsSlice() bool    { return r.atLeast(17, 0) }
func (r Release) hasKeyRotation() bool        { return r.atLeast(18, 0) }
func (r Release) tellsCrushDeviceClass() bool { return r.atLeast(19, 0) }
func (r Release) usesCSIOperator() bool       { return r.atLeast(18, 0) }
func (r Release) alwaysCSIOperator() bool     { return r.atLeast(20, 0) }
func (r Release) savesBeforeFailover() bool   { return r.atLeast(20, 5) }
func (r Release) keepsDeviceType() bool       { return r.atLeast(19, 0) }
func (r Release) canWrapFlappingOSDs() bool   { return r.atLeast(12, 0) }

// canaryKeepsArgs says whether a canary carries the arguments of the mon, with an empty public address.
func (r Release) canaryKeepsArgs() bool {
	return r.Minor == 17 && r.Patch >= 9 || r.atLeast(18, 5)
}
