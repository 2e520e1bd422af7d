package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

const (
	home        = "https://github.com/rook-clusterset/rook-clusterset"
	license     = "Apache-2.0"
	noAssertion = "NOASSERTION"
)

// writeBill writes, as SPDX 2.3, what each program is made of, as the linker noted it there.
func writeBill(programs []program, version string, at time.Time, path string) error {
	doc, err := bill(programs, version, at)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := json.Write(doc, &text, json.Indent("  ")); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644) //nolint:gosec // It is for everybody.
}

func bill(programs []program, version string, at time.Time) (*v2_3.Document, error) {
	doc := &v2_3.Document{
		SPDXVersion:       v2_3.Version,
		DataLicense:       v2_3.DataLicense,
		SPDXIdentifier:    "DOCUMENT",
		DocumentName:      "rook-clusterset-" + version,
		DocumentNamespace: fmt.Sprintf("%s/spdx/%s-%d", home, version, at.Unix()),
		CreationInfo: &v2_3.CreationInfo{
			Created:  at.Format(time.RFC3339),
			Creators: []common.Creator{{CreatorType: "Organization", Creator: "rook-clusterset"}},
		},
	}
	modules := map[common.ElementID]*v2_3.Package{}
	for _, p := range programs {
		described, err := describe(p, version)
		if err != nil {
			return nil, err
		}
		doc.Packages = append(doc.Packages, described)
		relate(doc, "DOCUMENT", common.TypeRelationshipDescribe, described.PackageSPDXIdentifier)
		made, err := madeOf(p)
		if err != nil {
			return nil, err
		}
		for _, module := range made {
			modules[module.PackageSPDXIdentifier] = module
			relate(doc, described.PackageSPDXIdentifier, common.TypeRelationshipDependsOn, module.PackageSPDXIdentifier)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(modules)) {
		doc.Packages = append(doc.Packages, modules[id])
	}
	return doc, nil
}

func relate(doc *v2_3.Document, from common.ElementID, relationship string, to common.ElementID) {
	doc.Relationships = append(doc.Relationships, &v2_3.Relationship{
		RefA: common.MakeDocElementID("", string(from)), Relationship: relationship, RefB: common.MakeDocElementID("", string(to)),
	})
}

// describe returns the program itself.
func describe(p program, version string) (*v2_3.Package, error) {
	sum, err := checksum(p.path)
	if err != nil {
		return nil, err
	}
	return &v2_3.Package{
		PackageName:             "rook-clusterset",
		PackageSPDXIdentifier:   identifier("Program", p.os, p.arch),
		PackageVersion:          version,
		PackageFileName:         filepath.ToSlash(filepath.Join(p.os+"-"+p.arch, p.name())),
		PackageSupplier:         &common.Supplier{SupplierType: "Organization", Supplier: "rook-clusterset"},
		PackageDownloadLocation: home + "/releases/tag/" + version,
		PackageChecksums:        []common.Checksum{{Algorithm: common.SHA256, Value: sum}},
		PackageLicenseConcluded: license,
		PackageLicenseDeclared:  license,
		PackageCopyrightText:    noAssertion,
		PrimaryPackagePurpose:   "APPLICATION",
	}, nil
}

// madeOf returns the modules of a program, and the standard library.
func madeOf(p program) ([]*v2_3.Package, error) {
	info, err := buildinfo.ReadFile(p.path)
	if err != nil {
		return nil, fmt.Errorf("read what %s is made of: %w", p.path, err)
	}
	made := []*v2_3.Package{library("stdlib", strings.TrimPrefix(info.GoVersion, "go"))}
	for _, module := range info.Deps {
		module = used(module)
		made = append(made, library(module.Path, module.Version))
	}
	return made, nil
}

// used returns what a module was replaced by, if it was.
func used(module *debug.Module) *debug.Module {
	if module.Replace != nil {
		return module.Replace
	}
	return module
}

func library(path, version string) *v2_3.Package {
	return &v2_3.Package{
		PackageName:             path,
		PackageSPDXIdentifier:   identifier("Module", path, version),
		PackageVersion:          version,
		PackageSupplier:         &common.Supplier{Supplier: noAssertion},
		PackageDownloadLocation: noAssertion,
		PackageLicenseConcluded: noAssertion,
		PackageLicenseDeclared:  noAssertion,
		PackageCopyrightText:    noAssertion,
		PrimaryPackagePurpose:   "LIBRARY",
		PackageExternalReferences: []*v2_3.PackageExternalReference{{
			Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B"),
		}},
	}
}

// identifier joins the parts by what an identifier of SPDX may have: letters, digits, points and dashes.
func identifier(parts ...string) common.ElementID {
	return common.ElementID(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.':
			return r
		default:
			return '-'
		}
	}, strings.Join(parts, "-")))
}
