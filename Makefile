MAKEFLAGS += --warn-undefined-variables --no-print-directory
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The release stands in this file; `make manifests` carries it on.
VERSION := $(shell cat VERSION)
ARCH ?= $(shell go env GOARCH)
IMAGE ?= ghcr.io/rook-clusterset/rook-clusterset:$(VERSION)
FUZZ_TIME ?= 10s

# Programs that are built once live outside the tree, as those of e2e/assets/build.sh do.
ROOK_CLUSTERSET_CACHE ?=
XDG_CACHE_HOME ?=
CACHE := $(or $(ROOK_CLUSTERSET_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/rook-clusterset)

LINT_MODULE := .ci/tools/lint
IMAGE_MODULE := .ci/tools/image
CHART_MODULE := .ci/tools/chart
RELEASE_MODULE := .ci/tools/release
LINTER := $(CACHE)/golangci-lint-$(shell cat $(LINT_MODULE)/go.mod $(LINT_MODULE)/go.sum | sha256sum | cut -c1-12)

# The race detector needs a C compiler, which the other tests do not.
RACE := $(if $(shell command -v gcc),-race,)

.PHONY: help
help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: test
test: lint verify unit scenarios ## Everything that must hold

.PHONY: demo
demo: assets ## Show what rook-clusterset does, on a real API server, step by step
	@go run ./e2e/demo

# The proof wants root, and is asked for by the variable: what runs ./e2e/... otherwise skips it.
.PHONY: e2e
e2e: export PATH := $(PATH):/usr/sbin:/sbin
e2e: ## Prove it on two real clusters with overlapping networks and real Ceph (root, Debian 12)
	@[ "$$(id -u)" = 0 ] || { echo "make e2e has to be run as root: for network namespaces, mounts and cgroups" >&2; exit 1; }
	@e2e/assets/debian.sh
	@ROOK_CLUSTERSET_PROOF=1 go test -count=1 -run '^TestTheMachineLacksNothing$$' ./e2e/node
	@$(MAKE) image
	@e2e/assets/nodes.sh >/dev/null
	ROOK_CLUSTERSET_PROOF=1 ROOK_CLUSTERSET_IMAGE=$(CURDIR)/bin/rook-clusterset-image.tar \
	  go test -count=1 -p 1 -timeout 40m -v ./e2e/node ./e2e/proof

.PHONY: bench
bench: assets ## Measure what it costs with 100, 300 and 1,000 OSDs, and hold that against its bars (20 minutes)
	@go run ./e2e/bench

.PHONY: bench-short
bench-short: assets ## The same with fewer OSDs and requests, in under five minutes
	@go run ./e2e/bench -short

# The number of stories that `make simulate` tells, and the seed of the first.
SIMULATE_SCHEDULES ?= 100000
SIMULATE_FIRST ?= 1

.PHONY: simulate
simulate: ## Tell 100,000 seeded stories of all that can go wrong, in virtual time (an hour or more)
	@go run ./e2e/simulate -schedules $(SIMULATE_SCHEDULES) -first $(SIMULATE_FIRST)

.PHONY: simulate-broken
simulate-broken: ## Take the guards away one by one, and see that a story ends badly each time
	ROOK_CLUSTERSET_BROKEN=1 go test -count=1 -v -timeout 30m -run '^TestBrokenOnPurposeAFaultIsFound$$' ./e2e/simulate

.PHONY: stress
stress: assets ## Let things go wrong, and attacks, while Rook writes: no wrong address, and no failed call where none may
	@GOGC=400 go run ./e2e/stress

.PHONY: stress-short
stress-short: assets ## The same with fewer faults and writes, in under five minutes
	@GOGC=400 go run ./e2e/stress -short -rate 10

.PHONY: build
build: ## Build bin/rook-clusterset, a static program
	CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/rook-clusterset .

.PHONY: image
image: build ## Pack it as bin/rook-clusterset-image.tar, an OCI archive, without a container engine
	@go -C $(IMAGE_MODULE) run . -binary $(CURDIR)/bin/rook-clusterset -license $(CURDIR)/LICENSE \
	  -arch $(ARCH) -reference $(IMAGE) -o $(CURDIR)/bin/rook-clusterset-image.tar

.PHONY: release
release: ## Make a release in dist/ from a clean tree: manifest, chart, images, plugins, bill of materials, checksums
	@.ci/release

.PHONY: verify-release
verify-release: ## Make it twice, from two clones, and see the same digests (compiles everything anew)
	@.ci/verify-release

.PHONY: publish
publish: ## Publish dist/: images and chart to the registry, all else to GitHub (docker, helm, gh)
	@.ci/publish

.PHONY: vulnerabilities
vulnerabilities: ## Look for known vulnerabilities in what is used, by the database that go.mod has (or VULNERABILITY_DATABASE=URL)
	@.ci/vulnerabilities

.PHONY: lint
lint: $(LINTER) ## Run the linters, go vet among them
	$(LINTER) run ./...

$(LINTER):
	@echo "building golangci-lint (minutes, once) ..."
	@mkdir -p $(CACHE)
	@CGO_ENABLED=0 go -C $(LINT_MODULE) build -trimpath -ldflags "-s -w" -o $@.building github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@mv $@.building $@

.PHONY: format
format: $(LINTER) ## Format the code as the linters want it
	$(LINTER) fmt ./...

.PHONY: unit
unit: ## Run the tests beside the code, with the race detector, the fuzz seeds and the benchmark of the rewrite
	go test $(RACE) $$(go list ./... | grep -v /e2e)
	go -C $(IMAGE_MODULE) test ./...
	go -C $(CHART_MODULE) test -count=1 ./...
	go -C $(RELEASE_MODULE) test ./...
	go test -run '^$$' -bench . -benchmem ./rook

.PHONY: fuzz
fuzz: ## Run every fuzz test for FUZZ_TIME (10s)
	@for package in $$(go list ./... | grep -v /e2e); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZ_TIME) $$package; \
	  done; \
	done

.PHONY: assets
assets: ## Build etcd, Kubernetes and cert-manager's controllers, once
	@e2e/assets/build.sh >/dev/null

# The longest begin first. The control planes, which take most of the time, collect garbage less often than they would.
.PHONY: scenarios
scenarios: assets build ## Run the scenarios, and the tests of the manifests, against a real API server
	@e2e/assets/helm.sh >/dev/null
	KUBEBUILDER_ASSETS="$$(e2e/assets/build.sh)" ROOK_CLUSTERSET_PROGRAM=$(CURDIR)/bin/rook-clusterset GOGC=800 GOMEMLIMIT=2GiB \
	  go test -count=1 -p 3 -timeout 30m ./e2e/scenarios ./e2e/rights ./manifests ./e2e/...

.PHONY: manifests
manifests: assets ## Build manifests/install.yaml from the kustomize base, and tell both and the chart the version
	@sed -i -E 's#(newTag: |/version: )v.*#\1$(VERSION)#' manifests/base/kustomization.yaml
	@sed -i -E 's#^version: .*#version: $(VERSION:v%=%)#; s#^(appVersion: ).*#\1$(VERSION)#' manifests/chart/Chart.yaml
	@manifests/build.sh > manifests/install.yaml.new
	@mv manifests/install.yaml.new manifests/install.yaml

.PHONY: verify-manifests
verify-manifests: assets
	@manifests/build.sh | diff -u manifests/install.yaml - || { echo "manifests/install.yaml is stale: run make manifests" >&2; exit 1; }

.PHONY: docs
docs: ## Write the pages that are made from the code
	go test -count=1 -run 'TestTheReferenceIsCurrent|TestEveryReasonIsExplainedAndNoOther' ./docs -update

.PHONY: verify-docs
verify-docs:
	go test -count=1 -run 'TestTheReferenceIsCurrent|TestEveryReasonIsExplainedAndNoOther' ./docs

.PHONY: verify
verify: verify-manifests verify-docs ## Check that what is generated is current
	go mod tidy -diff
	go -C $(IMAGE_MODULE) mod tidy -diff
	go -C $(CHART_MODULE) mod tidy -diff
	go -C $(RELEASE_MODULE) mod tidy -diff

.PHONY: clean
clean: ## Remove what was built in the tree
	rm -rf bin dist
