#!/usr/bin/env bash
# The tests that touch mbufs, on a DPDK that checks itself: mbuf and mempool checks, asserts,
# AddressSanitizer in DPDK, the shim and, where the toolchain has its runtime, Rust; poisoned pools.
#   scripts/test-debug.sh [--if-possible]     if possible: without DPDK's source it is a loud skip
. "$(dirname "$0")/lib.sh"

TARGET=$(rustc -vV | sed -n 's/^host: //p')
TESTS=(-p dpdk-sys -p gateway --lib --test checked --test conformance --test dpdk --test cli_running
    --test netns_bridge --test netns_router --test netns_packet_socket)

if ! scripts/dpdk-source.sh; then
    [ "${1:-}" = --if-possible ] || die "no DPDK source, no checked build"
    say "SKIPPED: DPDK's source is not to be had here, so nothing was tested on a checked build"
    exit 0
fi
scripts/dpdk.sh debug
# shellcheck source=/dev/null
. target/dpdk-debug/env

sanitize_rust() {
    [ -n "$(find "$(rustc --print target-libdir)" -name 'librustc-*_rt.asan.a')" ]
}
if sanitize_rust; then
    # Not stable; asked of the stable compiler for this build alone (docs/adr, checked builds).
    export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address"
else
    say "this toolchain has no AddressSanitizer: DPDK and the shim are checked, Rust is not"
fi
# abort_on_error=0: a report ends the process with a status, not with a core file.
export ASAN_OPTIONS="abort_on_error=0:detect_stack_use_after_return=0"
export LSAN_OPTIONS="suppressions=$ROOT/scripts/lsan.supp:print_suppressions=0"

scripts/cargo-test.sh --target "$TARGET" --target-dir target/static-debug "${TESTS[@]}"
