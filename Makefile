# Front door to scripts/ and cargo; nothing is decided here.
.DEFAULT_GOAL := help
.PHONY: help install demo test test-debug test-plain soak fuzz bad-input cost sharing bench builds ideas dpdk dpdk-debug deb image fmt lint bare-root

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: ## install what is missing, build the release, run the demonstration
	@scripts/install.sh build
	@scripts/demo.sh

test: ## install what is missing, run the whole test suite
	@scripts/install.sh test
	@scripts/test.sh

fuzz: ## fuzz every TARGET (or the named) for SECONDS (60)
	@scripts/install.sh test
	@scripts/fuzz.sh -s "$(or $(SECONDS),60)" $(TARGET)

bad-input: ## FRAMES (10000000) damaged frames through the real program
	@scripts/install.sh test
	@BAD_INPUT_FRAMES="$(or $(FRAMES),10000000)" cargo test --locked -p gateway --test bad_input -- --nocapture

cost: ## instructions per frame against bench/budget.txt; BLESS='why' takes new figures over
	@scripts/install.sh build test
	@scripts/cost.sh

sharing: ## cache lines that two workers share, and whether they have to
	@scripts/install.sh build
	@scripts/sharing.sh

bench: ## the ladder beside testpmd, l3fwd and the kernel, < 8 min; SIZE=middle < 15, FULL=1 < 50; HUGEPAGES=0: without
	@scripts/install.sh build bench
	@SIZE="$(SIZE)" FULL="$(FULL)" scripts/bench.sh

builds: ## what a static DPDK, native code and (HUGEPAGES=1) hugepages are worth, in turn
	@scripts/install.sh build dpdk
	@scripts/builds.sh

ideas: ## what each idea of the path is worth, with it and without, in turn; IDEAS='runs memo' only those
	@scripts/install.sh build test
	@scripts/ideas.sh $(IDEAS)

soak: ## whole workers under seeded faults for SECONDS=60, judged by a model; SEED=... replays one run
	@scripts/install.sh test
	@scripts/soak.sh "$(or $(SECONDS),60)" "$(SEED)"

deb: ## pack the release as a Debian package into target/deb
	@scripts/install.sh build deb
	@scripts/deb.sh

image: ## make the package into a container image (needs buildah, podman or docker)
	@scripts/install.sh build deb
	@scripts/image.sh

dpdk: ## build a static DPDK with only the needed drivers into target/dpdk
	@scripts/install.sh build dpdk
	@scripts/dpdk.sh

dpdk-debug: ## the same with mbuf and mempool checks and ASan into target/dpdk-debug
	@scripts/install.sh build dpdk
	@scripts/dpdk.sh debug

test-debug: ## the tests that touch mbufs on a checked DPDK: asserts, cookies, ASan, poisoned pools
	@scripts/install.sh test dpdk
	@scripts/test-debug.sh

test-plain: ## the tests of the core without the ideas that make the path fast
	@scripts/install.sh test
	@scripts/test.sh plain

install: ## only install what is missing (Debian 12 or 13)
	@scripts/install.sh build test

fmt: ## format the sources
	@cargo fmt --all

lint: ## format check and clippy, as make test does
	@scripts/lint.sh

bare-root: ## demo and test in a fresh Debian under DIR (needs root, debootstrap)
	@scripts/bare-root.sh "$(DIR)"
