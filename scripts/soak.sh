#!/usr/bin/env bash
# Whole workers on a virtual clock with seeded faults, judged by an independent model.
#   scripts/soak.sh [SECONDS [SEED]]     as many runs as fit; with SEED only that one
. "$(dirname "$0")/lib.sh"

limit=${1:-60}
seed=${2:-}
from=${SOAK_FROM:-$(date +%s)000000}

[[ "$limit" =~ ^[0-9]+$ ]] || die "not a number of seconds: $limit"
say "soak: ${seed:-$limit s from seed $from}"
SOAK_SECONDS=$limit SOAK_SEED=$seed SOAK_FROM=$from \
    cargo test --locked --quiet -p gateway --no-default-features --features sim \
    --test simulation -- --exact soak::soak --nocapture
