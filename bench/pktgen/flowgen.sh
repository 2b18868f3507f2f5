#!/usr/bin/env bash
# testpmd's flowgen drives the gateway over two memif pairs: what its stock generator sends by each
# port comes back by the other, through a bridge, and the gateway's books must balance at the end.
#   bench/pktgen/flowgen.sh        SECONDS_OF_LOAD=3, FLOWS=1024, GATEWAY=target/release/gateway
# flowgen leaves the UDP checksum out, so nothing here is coalesced: it is a load of single datagrams.
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"

load=${SECONDS_OF_LOAD:-3}
flows=${FLOWS:-1024}
gateway=${GATEWAY:-target/release/gateway}
[ -x "$gateway" ] || die "$gateway is not there: cargo build --release -p gateway"
have dpdk-testpmd || die "dpdk-testpmd is missing: scripts/install.sh bench"

dir=$(mktemp -d)
cleanup() {
    [ -z "${gateway_pid:-}" ] || kill "$gateway_pid" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$dir"
}
trap cleanup EXIT

cat >"$dir/gateway.toml" <<EOF
[runtime]
lcores = [$(($(nproc) - 1))]
hugepages = false
memory_mb = 256
[control]
socket = "$dir/control.sock"
[[port]]
name = "a"
device = "net_memif0,role=client,id=0,socket-abstract=no,socket=$dir/memif"
[[port]]
name = "b"
device = "net_memif1,role=client,id=1,socket-abstract=no,socket=$dir/memif"
[[bridge]]
name = "br"
ports = ["a", "b"]
EOF
# Each port is the other's peer, so the bridge learns both. testpmd ends with its standard input. A
# memif client is refused for good while the server's port has not started.
server() { echo "net_memif$1,role=server,id=$1,socket-abstract=no,socket=$dir/memif,mac=02:00:00:00:0f:0$1"; }
sleep $((load + 3)) | timeout $((load + 20)) stdbuf -oL dpdk-testpmd --no-huge -m 256 --no-pci \
    --file-prefix "flowgen$$" --lcores '(0,1)@0' --vdev "$(server 0)" --vdev "$(server 1)" \
    -- --forward-mode=flowgen --flowgen-flows="$flows" --total-num-mbufs=8192 --nb-cores=1 \
    --eth-peer=0,02:00:00:00:0f:01 --eth-peer=1,02:00:00:00:0f:00 --no-lsc-interrupt \
    >"$dir/testpmd.log" 2>&1 &
testpmd_pid=$!
for _ in $(seq 100); do
    ! grep -q "^Checking link" "$dir/testpmd.log" || break
    kill -0 "$testpmd_pid" 2>/dev/null || die "testpmd did not start: $(tail -n 5 "$dir/testpmd.log")"
    sleep 0.1
done
"$gateway" run --config "$dir/gateway.toml" >"$dir/gateway.log" 2>&1 &
gateway_pid=$!
sleep "$load"
"$gateway" show ports --socket "$dir/control.sock" ||
    die "the gateway did not start: $(tail -n 5 "$dir/gateway.log")"
wait "$testpmd_pid" || die "testpmd: $(tail -n 5 "$dir/testpmd.log")"

# The gateway ends with 0 only if its books balance and every buffer is back.
kill "$gateway_pid"
wait "$gateway_pid" || die "the gateway ended with $?: $(tail -n 5 "$dir/gateway.log")"
gateway_pid=
sums=$(awk '/Accumulated forward statistics/ {all = 1}
    all && /RX-packets:/ {received = $2} all && /TX-packets:/ {sent = $2}
    END {print sent + 0, received + 0}' "$dir/testpmd.log")
read -r sent received <<<"$sums"
say "flowgen sent $sent datagrams of $flows flows in about $load s, $received came back"
[ "$received" -gt 0 ] || die "nothing came back"
[ "$received" -le "$sent" ] || die "more came back than was sent"
