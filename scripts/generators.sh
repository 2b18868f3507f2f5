#!/usr/bin/env bash
# The scripts in bench/pktgen, as far as they run without a card: their searches against a device that
# is a function, and testpmd's flowgen through the gateway.
#   scripts/generators.sh       GATEWAY=target/debug/gateway
. "$(dirname "$0")/lib.sh"

export GATEWAY=${GATEWAY:-target/debug/gateway}
[ -x "$GATEWAY" ] || cargo build --locked -p gateway --bin gateway >&2

python3 bench/pktgen/ndr.py --self-test
lua5.4 bench/pktgen/ndr.lua --self-test
bench/pktgen/flowgen.sh
