#!/usr/bin/env bash
# Builds the release and runs the demonstration; the exit status is the program's own.
. "$(dirname "$0")/lib.sh"

say "building the release"
cargo build --release --locked -p gateway >&2
as_root target/release/gateway demo "$@"
