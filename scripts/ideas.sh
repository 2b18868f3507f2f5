#!/usr/bin/env bash
# What each idea of the path is worth, measured with it and without, in turn: instructions per frame, by
# callgrind, and cycles, medians of ROUNDS (5) with the least and the most. Those of gateway/src/ideas.rs
# are builds of path-cost (target/ideas, 2 minutes each), the others arguments of one.
#   scripts/ideas.sh [IDEA]...     default: all
# ROUNDS=0: instructions only. With hugepages where the machine has enough free ones, which HUGEPAGES=1
# asks for and HUGEPAGES=0 forbids.
. "$(dirname "$0")/lib.sh"

ROUNDS=${ROUNDS:-5}
POLLS=${POLLS:-40000}
OUT=target/ideas
unset GATEWAY_WITHOUT GATEWAY_PREFETCH
# Distance of the build that fetches headers ahead, which the ordinary one does not.
PREFETCH=4

# idea|case|arguments of both|with: more arguments|without: more arguments
CASES=(
    "runs|routed, trains of 16, list|--train 16"
    "plain|routed, single, off|--gro off"
    "steps|routed, single, off|--gro off"
    "steps|the same, 200,000 routes|--gro off --routes 200000 --frames 65536 --flows 65536"
    "memo|routed, trains of 16, off|--gro off --train 16"
    "memo|routed, single, off|--gro off"
    "arrays|routed, trains of 16, list|--train 16"
    "arrays|multicast 1 to 3, trains of 16|--path multicast --copies 3 --train 16"
    "incremental|routed, single, off|--gro off"
    "bulk|multicast 1 to 3, trains of 16|--path multicast --copies 3 --train 16"
    "equal|multicast 1 to 8, one address, trains of 16|--path multicast --copies 8 --train 16 --one-mac"
    "equal|the same, 1442 B|--path multicast --copies 8 --train 16 --one-mac --payload 1400"
    "equal|the same with private headers|--path multicast --copies 8 --train 16 --one-mac --payload 1400 --copy-up-to 0"
    "prefetch|routed, single, off, 65,536 frames replayed|--gro off --frames 65536 --flows 65536"
    "mode|routed, trains of 16|--train 16||--gro off"
    "mode|the same, 16 filters|--train 16 --filters 16||--gro off"
    "mode|flooded to 3, trains of 16|--path flood --copies 3 --train 16||--gro off"
    "adaptive|routed, single, list||--adaptive"
    "copy_up_to|multicast 1 to 3, trains of 16, 1442 B|--path multicast --copies 3 --train 16 --payload 1400||--copy-up-to 0"
    "lifo|multicast 1 to 31, trains of 16|--path multicast --copies 31 --train 16||--ring-pool"
    "hugepages|routed, single, off, 65,536 frames replayed|--gro off --frames 65536 --flows 65536|--hugepages"
)

[ -n "${HUGEPAGES:-}" ] || ! hugepages_are_free || HUGEPAGES=1
pages=()
if [ "${HUGEPAGES:-}" = 1 ]; then
    say "with hugepages"
    pages=(--hugepages)
else
    say "with ordinary pages"
fi

# is_wanted IDEA [WANTED]...
is_wanted() { [ $# -eq 1 ] || [[ " ${*:2} " == *" $1 "* ]]; }

# The ideas of ideas.rs.
built() { sed -n 's/^    \([A-Z]\+\),$/\L\1/p' gateway/src/ideas.rs; }

# build NAME: path-cost into target/ideas/NAME, unless no source is newer than what is there.
build() {
    local changed=yes
    [ ! -e "$OUT/$1" ] ||
        changed=$(find gateway/src bench/src dpdk-sys Cargo.toml Cargo.lock -newer "$OUT/$1" -type f -print -quit)
    [ -n "$changed" ] || return 0
    say "building $1"
    touch "$OUT/began"
    cargo build --release --locked -p bench --bin path-cost >&2
    cp target/release/path-cost "$OUT/$1"
    touch -r "$OUT/began" "$OUT/$1"
}

# program IDEA with|without
program() {
    case $1/$2 in
    prefetch/with) echo "$OUT/prefetch" ;;
    */without) [ -e "$OUT/without-$1" ] && echo "$OUT/without-$1" || echo "$OUT/as-it-is" ;;
    *) echo "$OUT/as-it-is" ;;
    esac
}

count() { # IDEA WAY ARGUMENTS...
    # Counted are instructions: on ordinary pages the same.
    target/release/cost-gate --program "$(program "$1" "$2")" --case "${*:3}"
}

cycles() { # IDEA WAY ARGUMENTS...
    local pages=("${pages[@]}")
    [ "$1" != hugepages ] || pages=()
    path_cycles "$(program "$1" "$2")" --polls "$POLLS" "${@:3}" "${pages[@]}"
}

known=" $(built | xargs) prefetch mode adaptive copy_up_to lifo hugepages "
for idea in "$@"; do
    [[ "$known" == *" $idea "* ]] || die "no idea \`$idea\`; there are:$known"
done
mkdir -p "$OUT"
for idea in $(built); do
    ! is_wanted "$idea" "$@" || GATEWAY_WITHOUT=$idea build "without-$idea"
done
! is_wanted prefetch "$@" || GATEWAY_PREFETCH=$PREFETCH build prefetch
# Last, for target/release then has what an ordinary build leaves there.
build as-it-is
cargo build --release --locked -p bench --bin cost-gate >&2

counted=$(mktemp)
measured=$(mktemp)
trap 'rm -f "$counted" "$measured"' EXIT
wanted=()
for case in "${CASES[@]}"; do
    ! is_wanted "${case%%|*}" "$@" || wanted+=("$case")
done

# each ROUND-FUNCTION: for every case and way, a line of it: index|way|figure
each() {
    local index idea name both with without way more figure
    for index in "${!wanted[@]}"; do
        IFS='|' read -r idea name both with without <<<"${wanted[index]}"
        [ "$1 $idea" != "count hugepages" ] || continue
        for way in with without; do
            read -ra more <<<"$both ${!way}"
            figure=$("$1" "$idea" "$way" "${more[@]}") || die "$name, $way: path-cost failed"
            printf '%s|%s|%s\n' "$index" "$way" "$figure"
        done
    done
}

say "counting"
each count >"$counted"
for ((round = 1; round <= ROUNDS; round++)); do
    say "round $round of $ROUNDS"
    each cycles
done >"$measured"

# of FILE INDEX WAY
of() { sed -n "s/^$2|$3|//p" "$1"; }
ratio() { awk -v with="$1" -v without="$2" 'BEGIN {printf "%.2f", with / without}'; }

printf '| idea | case | instructions with | without | | cycles with | without | |\n|---|---|---|---|---|---|---|---|\n'
for index in "${!wanted[@]}"; do
    IFS='|' read -r idea name _ <<<"${wanted[index]}"
    row="| $idea | $name |"
    with=$(of "$counted" "$index" with) without=$(of "$counted" "$index" without)
    if [ -n "$with" ]; then
        row+=" $with | $without | $(ratio "$with" "$without") |"
    else
        row+=" | | |"
    fi
    read -r with least most < <(of "$measured" "$index" with | spread) || true
    if [ -n "$with" ] && [ "$ROUNDS" -gt 0 ]; then
        row+=$(printf ' %.0f (%.0f–%.0f) |' "$with" "$least" "$most")
        read -r without least most < <(of "$measured" "$index" without | spread)
        row+=$(printf ' %.0f (%.0f–%.0f) | %s |' "$without" "$least" "$most" "$(ratio "$with" "$without")")
    else
        row+=" | | |"
    fi
    printf '%s\n' "$row"
done
