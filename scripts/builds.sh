#!/usr/bin/env bash
# What a way to build is worth: cycles per frame of path-cost, as make builds it on the shared DPDK of the
# distribution, on a static one (make dpdk), and with both tuned for this machine's processor, in turn.
# Medians of ROUNDS (5), with the least and the most. HUGEPAGES=1 adds rows with hugepages.
#   scripts/builds.sh
. "$(dirname "$0")/lib.sh"

ROUNDS=${ROUNDS:-5}
POLLS=${POLLS:-40000}
declare -A PROGRAM=(
    [shared]=target/release/path-cost
    [static]=target/static/release/path-cost
    [native]=target/static-native/release/path-cost
)
FORMS=(shared static native)
CASES=(
    "routed, single, off|--gro off"
    "routed, single, list|--gro list --adaptive"
    "routed, trains of 16, list|--train 16"
    "routed, trains of 64, list|--train 64"
    "bridged, one tag, trains of 16|--path station --vlan --train 16"
    "multicast 1 to 3, trains of 16|--path multicast --copies 3 --train 16"
    "multicast 1 to 3, 1442 B|--path multicast --copies 3 --train 16 --payload 1400"
    "merge, trains of 16, 1442 B|--train 16 --gro merge --payload 1400"
    "routed, single, 65,536 frames replayed|--gro off --frames 65536 --flows 65536"
)
[ -z "${HUGEPAGES:-}" ] || CASES+=(
    "the same, hugepages|--gro off --frames 65536 --flows 65536 --hugepages"
    "multicast 1 to 3, hugepages|--path multicast --copies 3 --train 16 --hugepages"
)

build() {
    cargo build --release --locked -p bench --bin path-cost "$@" >&2
}

cycles() { # FORM ARGUMENTS...
    path_cycles "${PROGRAM[$1]}" --polls "$POLLS" "${@:2}"
}

say "building"
build
scripts/dpdk.sh >&2
(. target/dpdk/env && build --target-dir target/static)
PLATFORM=native scripts/dpdk.sh >&2
(. target/dpdk-native/env && RUSTFLAGS=-Ctarget-cpu=native build --target-dir target/static-native)

measured=$(mktemp)
trap 'rm -f "$measured"' EXIT
for ((round = 0; round < ROUNDS; round++)); do
    for case in "${CASES[@]}"; do
        read -ra arguments <<<"${case#*|}"
        for form in "${FORMS[@]}"; do
            figure=$(cycles "$form" "${arguments[@]}") || die "$form: ${case%|*}: path-cost failed"
            printf '%s|%s|%s\n' "${case%|*}" "$form" "$figure"
        done
    done
done >"$measured"

printf '| cycles per frame: median (min–max) | shared | static | static, native |\n|---|---|---|---|\n'
for case in "${CASES[@]}"; do
    row="| ${case%|*} |"
    for form in "${FORMS[@]}"; do
        read -r median least most < <(sed -n "s/^${case%|*}|$form|//p" "$measured" | spread)
        row+=$(printf ' %.0f (%.0f–%.0f) |' "$median" "$least" "$most")
    done
    printf '%s\n' "$row"
done

# The distribution's DPDK has 32 ports, the static one as many as a port mask: 64.
printf '\n| copies of a datagram, 64 B, static | cycles per copy: median (min–max) |\n|---|---|\n'
for copies in 1 3 8 16 31 63; do
    for ((round = 0; round < ROUNDS; round++)); do
        cycles static --path multicast --copies "$copies" --train 16 ||
            die "$copies copies: path-cost failed"
    done | awk -v copies="$copies" '{print $1 / copies}' | spread |
        awk -v copies="$copies" '{printf "| %d | %.0f (%.0f–%.0f) |\n", copies, $1, $2, $3}'
done
