#!/usr/bin/env bash
# The cost gate: instructions per frame of fixed cases against bench/budget.txt, 2 % either way.
#   scripts/cost.sh        BLESS='why' takes the new figures over
. "$(dirname "$0")/lib.sh"

cargo build --locked --release -p bench --bin path-cost --bin cost-gate >&2
bless=()
[ -z "${BLESS:-}" ] || bless=(--bless "$BLESS")
exec target/release/cost-gate "${bless[@]}"
