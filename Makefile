# make demo and make test are all that a newcomer needs; each does whatever set-up is missing, once.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON  ?= python3
PREFIX  ?= /usr/local
DESTDIR ?=

LIBRARY := build/libCausal.so
VENV    := .venv/ready
PEERS   := build/peers/ready
VERSION := $(shell sed -n 's/.*let version: StaticString.*"\(.*\)".*/\1/p' Sources/CausalABI/Library.swift)
SOURCES := Package.swift include/causal.h include/module.modulemap $(shell find -L Sources -type f)

export CAUSAL_TUNED := 1
SWIFT_TEST := -c release -Xswiftc -enable-testing --scratch-path build

.PHONY: help demo test test-swift test-c test-python library venv install bench bench-peers bench-kernels bench-growth bench-chart bench-structural bench-discovery data-efficiency pictures soak sanitize clean

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile | expand -t 18

demo: $(LIBRARY) $(VENV) ## Train four models on an experiment; a table, and a picture in build/phase1/
	.venv/bin/python python/experiments/run_phase1.py

test: test-swift test-c test-python ## All tests: Swift, C, Python

test-swift: build/requirements
	swift build --build-tests $(SWIFT_TEST)/test
	swift test --skip-build $(SWIFT_TEST)/test

test-c: $(LIBRARY) $(VENV) build/requirements-test
	Tests/C/run

test-python: $(LIBRARY) $(VENV)
	cd python && ../.venv/bin/python -m pytest -q

library: $(LIBRARY) ## build/libCausal.so: one file that needs no Swift and no OpenBLAS at run time

venv: $(VENV) ## .venv with the Python package and what its tests need

install: $(LIBRARY) ## Library, header and pkg-config file into PREFIX (/usr/local)
	install -D -m 755 $(LIBRARY) "$(DESTDIR)$(PREFIX)/lib/libCausal.so"
	install -D -m 644 include/causal.h "$(DESTDIR)$(PREFIX)/include/causal.h"
	mkdir -p "$(DESTDIR)$(PREFIX)/lib/pkgconfig"
	printf '%s\n' 'prefix=$(PREFIX)' 'Name: causal' 'Description: Neural networks that understand do()' \
	    'Version: $(VERSION)' 'Libs: -L$${prefix}/lib -lCausal' 'Cflags: -I$${prefix}/include' \
	    > "$(DESTDIR)$(PREFIX)/lib/pkgconfig/causal.pc"

# make bench BENCH=--quick is a short run; so with bench-growth and bench-kernels. Peers are measured where `make bench-peers` put them; without
# that, those that .venv happens to have.
MEASURE = $(if $(wildcard $(PEERS)),build/peers,.venv)/bin/python

bench: $(LIBRARY) $(VENV) build/requirements-test ## Time of a training step beside PyTorch, JAX and numpy (where installed), and the goals; build/bench/
	$(MEASURE) python/benchmarks/bench_speed.py $(BENCH)
	$(MEASURE) python/benchmarks/bench_goals.py $(filter --quick,$(BENCH))

bench-peers: $(PEERS) ## Whom `make bench` measures beside the engine, in build/peers

bench-kernels: $(VENV) build/requirements ## Kernels, passes and training steps one by one, times and instructions; minutes
	swift build -c release --package-path Tests/Benchmarks --scratch-path build/benchmarks
	.venv/bin/python python/benchmarks/bench_kernels.py $(BENCH)

bench-growth: $(LIBRARY) $(VENV) ## Time and memory of training against width, depth, batch, rows, do() and threads; a picture in build/bench/
	.venv/bin/python python/benchmarks/bench_growth.py $(BENCH)

bench-chart: $(VENV) ## Draw the chart of README.md from what make bench wrote, print its section on speed, and take over the picture of make bench-growth
	.venv/bin/python python/benchmarks/speed_chart.py

bench-structural: $(LIBRARY) $(VENV) ## Structural models on known equations, and the time of a pass; some minutes, build/bench/
	.venv/bin/python python/benchmarks/bench_structural.py $(if $(shell .venv/bin/python -c 'import causalflows' 2> /dev/null && echo yes),--flow)
	if .venv/bin/python -c 'import torch' 2> /dev/null; then .venv/bin/python python/benchmarks/bench_structural_pass.py; fi

bench-discovery: $(LIBRARY) $(VENV) ## Graphs found in data beside FLOP, GIES, DAGMA and SDCD (where installed); build/bench/discovery.json
	.venv/bin/python python/benchmarks/bench_discovery.py --scaling

data-efficiency: $(LIBRARY) $(VENV) ## How many rows E[y | do(x)] takes, for four learners; some minutes, build/data_efficiency/
	.venv/bin/python python/experiments/data_efficiency.py

pictures: demo data-efficiency ## Refresh the pictures of README.md
	mkdir -p python/docs
	cp build/phase1/phase1.png build/data_efficiency/data_efficiency.png python/docs/

soak: $(LIBRARY) ## 100,000 networks created, trained and freed: memory must not grow
	cc -O1 -std=c99 -Iinclude Tests/C/soak.c -Lbuild -lCausal -lm -Wl,-rpath,'$(CURDIR)/build' -o build/soak
	build/soak

sanitize: build/requirements ## The Swift tests under the address and the thread sanitizer
	ASAN_OPTIONS=detect_leaks=0 CAUSAL_TUNED=0 swift test --sanitize=address $(SWIFT_TEST)/address-sanitizer
	TSAN_OPTIONS=die_after_fork=0 CAUSAL_TUNED=0 swift test --sanitize=thread $(SWIFT_TEST)/thread-sanitizer

clean: ## Everything that these commands made
	rm -rf build .build .venv

# ---------------------------------------------------------------- what the commands above need

$(LIBRARY): $(SOURCES) | build/requirements
	CAUSAL_STATIC=1 swift build -c release --product Causal --scratch-path build/release
	cp build/release/release/libCausal.so $@.new
	mv $@.new $@

$(VENV): python/pyproject.toml | build/requirements
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --editable 'python[plot,test]'
	touch $@

$(PEERS): python/benchmarks/requirements-peers.txt python/pyproject.toml | $(LIBRARY) build/requirements
	$(PYTHON) -m venv build/peers
	build/peers/bin/pip install --quiet --disable-pip-version-check --requirement python/benchmarks/requirements-peers.txt --editable python
	touch $@

# $(call packages,NAMES): Debian packages, installed where that is allowed, otherwise named.
define packages
	missing=""; \
	for name in $(1); do dpkg-query -W -f '$${Status}' $$name 2>/dev/null | grep -q 'ok installed' || missing+=" $$name"; done; \
	if [ -z "$$missing" ] || ! command -v dpkg-query > /dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then as=""; elif sudo -n true 2> /dev/null; then as="sudo"; else \
	    echo "These Debian packages are missing:$$missing. Install them with: sudo apt-get install$$missing" >&2; exit 1; fi; \
	$$as apt-get update -q && $$as env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing
endef

build/requirements: Makefile
	@mkdir -p build
	@version="$$(swift --version 2> /dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)"; \
	if [ "$$(printf '%s\n' 6.3 "$${version:-0}" | sort -V | head -n 1)" != 6.3 ]; then \
	    echo "Swift 6.3 or newer is needed, found $${version:-none}: see https://www.swift.org/install" >&2; exit 1; fi
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2> /dev/null || { \
	    echo "Python 3.10 or newer is needed, found $$($(PYTHON) --version 2>&1 | head -n 1): name another with PYTHON=..." >&2; exit 1; }
	@$(call packages,libopenblas-dev)
	@$(PYTHON) -m ensurepip --version > /dev/null 2>&1 || { $(call packages,python3-venv); }
	@touch $@

build/requirements-test: build/requirements
	@$(call packages,gcc g++ binutils pkg-config $(if $(filter x86_64,$(shell uname -m)),qemu-user))
	@$(PYTHON)-config --embed --ldflags > /dev/null 2>&1 || { $(call packages,python3-dev); }
	@touch $@
