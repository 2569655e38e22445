# Everything from a fresh checkout, on Linux with Go, git, make and bash; no root, no Docker.
# `make` alone says what there is to do.

SHELL := /bin/bash
.SHELLFLAGS := -e -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# An environment that says otherwise must not change which modules are built.
export GOWORK := off

ROOT     := $(CURDIR)
BIN      := $(ROOT)/bin
TOOLS    := $(ROOT)/config/tools
VERSION  ?= $(shell git -C $(ROOT) describe --tags --always --dirty 2>/dev/null || echo unknown)
# A line at least every ten seconds, whatever runs.
PROGRESS := $(TOOLS)/progress
RUN      := $(BIN)/local run --

# The race detector needs a C compiler.
RACE     := $(shell command -v $$(go env CC 2>/dev/null || echo gcc) >/dev/null 2>&1 && echo -race)

# Packages of e2e whose tests need the control plane and the node of processes, but no gateway and no Prometheus.
E2E_CONTROL_PLANE := ./admission ./agent ./fidelity ./mechanics
# Packages of e2e whose tests need every part. All others need none.
E2E_WHOLE         := ./app ./cluster ./cmd/local ./install
# Stories wait most of the time, so more of them run at once than there are cores.
E2E_STORIES       := ./stories
# Needs every part too, and has its own way to run many shops at once.
E2E_CRASHPOINTS   := ./crashpoints

CONTROL_PLANE_PARTS := etcd kube-apiserver kube-controller-manager kube-scheduler node gateway-api

.PHONY: help
help: ## What there is to do
	@echo 'usage: make <target>'
	@echo
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build parts ## Watch it: a good release, a bad one that is reverted, a fix; KEEP=1 leaves the cluster up
	@KEEP='$(KEEP)' $(RUN) $(BIN)/demo

.PHONY: build
build: requirements ## The controller, the kubectl plugin, the local cluster and the demo, in bin/
	@$(PROGRESS) 'building bin/belay and bin/kubectl-belay, $(VERSION)' go build -o $(BIN)/ \
	  -ldflags '-X main.version=$(VERSION) -X github.com/belay-dev/belay/cmd/kubectl-belay/command.version=$(VERSION)' \
	  ./cmd/belay ./cmd/kubectl-belay
	@$(PROGRESS) 'building bin/local, bin/app and bin/demo' go build -C e2e -o $(BIN)/ ./cmd/local ./app ./cmd/demo

.PHONY: parts
parts: $(BIN)/local ## The parts of the local cluster (etcd, Kubernetes, Traefik, Prometheus, …), in bin/parts; kept
	@$(BIN)/local build

.PHONY: control-plane
control-plane: $(BIN)/local ## Only the parts that tests on the API server need
	@$(BIN)/local build $(CONTROL_PLANE_PARTS)

.PHONY: $(BIN)/local
$(BIN)/local: requirements
	@$(PROGRESS) 'building bin/local' go build -C e2e -o $(BIN)/local ./cmd/local

.PHONY: generate
generate: $(BIN)/controller-gen ## Deepcopy and CRDs from api/, the chart's templates from config/
	@$(PROGRESS) 'generating deepcopy and CRDs' $(BIN)/controller-gen object crd paths=./api/... output:crd:dir=config/crd
	@$(PROGRESS) 'generating templates of the chart' go run ./config/generate

.PHONY: verify
verify: requirements $(BIN)/controller-gen $(BIN)/golangci-lint ## Generated files, formatting, vet, lint, import laws, modules, no paths of this machine
	@BIN=$(BIN) $(TOOLS)/verify

.PHONY: test
test: requirements ## All tests that need no data plane; the admission matrix and the mechanics on a real API server
	@$(if $(RACE),,echo 'no C compiler: the tests run without the race detector')
	@$(PROGRESS) 'testing the module' go test $(RACE) -timeout 20m ./...
	@$(PROGRESS) 'simulating a thousand stories, and defects that have to be noticed' go test -timeout 30m ./controllers/sim
	@$(PROGRESS) 'testing the local cluster, what needs no part' go test -C e2e -timeout 10m \
	  $$(cd e2e && go list ./... | grep -vxF "$$(go list $(E2E_CONTROL_PLANE) $(E2E_WHOLE) $(E2E_STORIES) $(E2E_CRASHPOINTS))")
	@$(PROGRESS) 'testing the node' go test -C e2e/parts/node -timeout 10m ./...
	@$(PROGRESS) 'testing the chart' go test -C e2e/parts/helm -timeout 10m ./...
	@$(MAKE) control-plane
	@$(PROGRESS) 'testing on a real API server' go test -C e2e -count=1 -p 1 -timeout 30m -exec '$(RUN)' $(E2E_CONTROL_PLANE)

.PHONY: e2e
e2e: build parts ## Black-box stories on all parts: gateway, Prometheus, Git, real pods
	@$(PROGRESS) 'testing the local cluster as a whole' go test -C e2e -count=1 -p 1 -timeout 30m -exec '$(RUN)' $(E2E_WHOLE)
	@$(PROGRESS) 'stories' go test -C e2e -count=1 -v -parallel 3 -timeout 60m -exec '$(RUN)' $(E2E_STORIES)

.PHONY: crash-points
crash-points: build parts ## The controller is killed before and after every single write of a release, good and bad
	@$(PROGRESS) 'crash points, all of them' go test -C e2e -count=1 -v -timeout 60m -exec '$(RUN)' $(E2E_CRASHPOINTS) -args -all

.PHONY: sim
sim: requirements ## Simulated stories of the whole controller with faults: SEEDS=10000, FROM=1 the first, WITH=… faults of each
	@$(PROGRESS) 'simulating' go test -count=1 -timeout 0 -v -run '^TestSeeds$$' ./controllers/sim \
	  -args -sim.seeds='$(or $(SEEDS),10000)' -sim.from='$(or $(FROM),1)' -sim.with='$(WITH)'

.PHONY: fuzz
fuzz: requirements ## Every parser of outside text against texts that say anything, FUZZTIME=30s each; FUZZ=Split only those
	@FUZZTIME='$(or $(FUZZTIME),30s)' FUZZ='$(FUZZ)' $(TOOLS)/fuzz

.PHONY: cover
cover: requirements ## Which statements the tests of the module run, per package; fails below the figures of docs/coverage.md
	@$(TOOLS)/cover

.PHONY: bench
bench: build parts ## What Belay takes and asks, measured on all parts and printed beside the targets
	@$(PROGRESS) 'building bin/bench' go build -C e2e -o $(BIN)/bench ./cmd/bench
	@$(RUN) $(BIN)/bench

.PHONY: bench-analysis
bench-analysis: requirements ## How often and how soon judges decide, on streams with known truth, beside the targets; ONLY=delay one table, MANY= FEW= how often
	@$(PROGRESS) 'measuring judges' go run ./analysis/canarybench/cmd/canarybench tables \
	  --many '$(or $(MANY),10000)' --few '$(or $(FEW),1000)' --only '$(ONLY)'

.PHONY: clean
clean: ## Remove what was built, but keep the parts and the tools
	rm -f $(addprefix $(BIN)/,belay kubectl-belay local app demo bench)

.PHONY: clean-all
clean-all: clean ## Remove the parts and the tools too
	rm -rf $(BIN)

.PHONY: requirements
requirements:
	@$(TOOLS)/requirements

# Tools are pinned by the go.mod beside them; the stamp is newer than the pin.
$(BIN)/golangci-lint: $(TOOLS)/lint/go.mod | requirements
	@$(PROGRESS) 'building golangci-lint, a few minutes the first time' go build -C $(TOOLS)/lint -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

$(BIN)/controller-gen: $(TOOLS)/generate/go.mod | requirements
	@$(PROGRESS) 'building controller-gen' go build -C $(TOOLS)/generate -o $@ sigs.k8s.io/controller-tools/cmd/controller-gen
	@touch $@
