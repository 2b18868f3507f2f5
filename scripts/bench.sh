#!/usr/bin/env bash
# What one worker spends on a frame, coalescing off and on in turn on the same input: net_pcap
# replays from memory, net_null takes what leaves. Medians of REPEAT (5) runs with min and max;
# only the ratio means something on another machine, and only while nothing else runs on the core.
. "$(dirname "$0")/lib.sh"

REPEAT=${REPEAT:-5}
POLLS=${POLLS:-200000}
LCORE=${LCORE:-$(($(nproc) - 1))}

# path, train, payload bytes, egress ports
SHAPES="route 1 22 1
route 16 22 1
route 64 22 1
route 1 1400 1
route 16 1400 1
multicast 16 22 3
multicast 16 1400 3
bridge 16 1400 3"

cycles() {
    as_root target/release/path-cost --path "$1" --train "$2" --payload "$3" --copies "$4" \
        --gro "$5" --polls "$POLLS" --lcore "$LCORE" |
        sed -n 's/.*"cycles_per_frame":\([0-9.]*\).*/\1/p'
}

# median, min and max of the numbers on stdin
spread() { sort -n | awk '{v[NR] = $1} END {printf "%7.1f %7.1f %7.1f", v[int((NR + 1) / 2)], v[1], v[NR]}'; }

say "building"
cargo build --release --locked -p bench --bin path-cost >&2
echo "cycles per received frame: median, min, max of $REPEAT"
printf '%-9s %5s %7s %5s   %23s   %23s   %s\n' path train payload ports "gro off" "gro list" ratio
while read -r path train payload ports; do
    off="" list=""
    for ((run = 0; run < REPEAT; run++)); do
        off+=$(cycles "$path" "$train" "$payload" "$ports" off)$'\n'
        list+=$(cycles "$path" "$train" "$payload" "$ports" list)$'\n'
    done
    off=$(printf %s "$off" | spread)
    list=$(printf %s "$list" | spread)
    ratio=$(echo "$off $list" | awk '{printf "%.2f", $4 / $1}')
    printf '%-9s %5s %7s %5s   %s   %s   %s\n' "$path" "$train" "$payload" "$ports" "$off" "$list" "$ratio"
done <<<"$SHAPES"
