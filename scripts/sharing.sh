#!/usr/bin/env bash
# Which cache lines two workers of a running gateway share, and which of them they need not: every
# instruction of both is stepped through, as there are no hardware counters to ask. Fails where a line
# is falsely shared by the gateway's own doing. As root, x86-64, two CPUs, 2 min with the build done.
#   scripts/sharing.sh [--only NAME] [--lines]
. "$(dirname "$0")/lib.sh"

cargo build --locked --release -p gateway -p bench --bin gateway --bin sharing >&2
as_root timeout --kill-after=10 900 target/release/sharing "$@"
