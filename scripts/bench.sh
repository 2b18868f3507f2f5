#!/usr/bin/env bash
# The ladder: the gateway beside testpmd, l3fwd, ipv4_multicast and the Linux kernel, in turn on the
# same virtual ports. A dated section goes into bench/RESULTS.md, curves into bench/plots, every run
# into target/bench.
#   scripts/bench.sh        less than 8 minutes, with the build done
#   SIZE=middle             less than 15
#   SIZE=full (or FULL=1)   every shape, less than 50
# ONLY=single measures one group and writes nothing but target/bench. ROUNDS, WINDOW_MS as in
# `target/release/ladder --help`. With hugepages where the machine has enough free ones, which
# HUGEPAGES=1 asks for and HUGEPAGES=0 forbids.
. "$(dirname "$0")/lib.sh"

SIZE=${SIZE:-short}
[ -z "${FULL:-}" ] || SIZE=full
case $SIZE in
short) minutes=6 ;;
middle) minutes=12 ;;
full) minutes=42 ;;
*) die "SIZE is short, middle or full" ;;
esac

# One program at a time.
[ -n "${HUGEPAGES:-}" ] || ! hugepages_are_free || HUGEPAGES=1
if [ "${HUGEPAGES:-}" = 1 ]; then
    say "with hugepages"
else
    HUGEPAGES=
    say "with ordinary pages; 700 free hugepages of 2 MiB would show more (/proc/sys/vm/nr_hugepages)"
fi

say "building"
scripts/peers.sh || say "without l3fwd and ipv4_multicast: their rows will be missing"
mkdir -p target/peers/bin
cargo build --release --locked -p gateway -p bench --bins >&2

command="make bench"
[ "$SIZE" = short ] || command+=" SIZE=$SIZE"
[ -z "${HUGEPAGES:-}" ] || command+=" HUGEPAGES=1"
arguments=(--size "$SIZE" --minutes "$minutes" --rounds "${ROUNDS:-5}" --window-ms "${WINDOW_MS:-400}"
    --date "$(LC_ALL=C date '+%-d %B %Y')" --command "$command")
[ -z "${HUGEPAGES:-}" ] || arguments+=(--hugepages)
if [ -n "${ONLY:-}" ]; then
    arguments+=(--only "$ONLY")
else
    arguments+=(--results bench/RESULTS.md --plots bench/plots)
fi
# What is left of the time is for what was begun: a turn is seconds.
as_root timeout --kill-after=10 $(((minutes + 3) * 60)) target/release/ladder "${arguments[@]}"
