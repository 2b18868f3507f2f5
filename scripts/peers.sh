#!/usr/bin/env bash
# Builds the peers of the ladder that no package has, l3fwd and ipv4_multicast, from DPDK's source
# into target/peers/bin. In the copy under target/ two requests are taken out that virtual devices
# refuse (receive checksums, chains on transmit), and the multicast groups become routable ones:
# 224.0.0.0/24 may not leave its link (RFC 5771 4).
. "$(dirname "$0")/lib.sh"

PEERS=$ROOT/target/peers
WRAP=meson-wrap/subprojects/dpdk.wrap

field() { sed -n "s/^$1 = //p" "$WRAP"; }

version=$(pkg-config --modversion libdpdk)
source=$(field directory)
stamp=$PEERS/bin/of-$source-$version
[ ! -f "$stamp" ] || exit 0
# An example follows its library's interface.
[ "$source" = "dpdk-stable-$version" ] ||
    say "DPDK $version is here, the peers are of $source: they may not build"

scripts/dpdk-source.sh
rm -rf "$PEERS"
mkdir -p "$PEERS/bin"
tar -C "$PEERS" -xf "meson-wrap/subprojects/packagecache/$(field source_filename)" \
    "$source"/examples/{common,l3fwd,ipv4_multicast}
examples=$PEERS/$source/examples
sed -i '/\.offloads = RTE_ETH_RX_OFFLOAD_CHECKSUM,/d' "$examples/l3fwd/main.c"
sed -i -e '/\.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS,/d' \
    -e 's/RTE_IPV4(224,0,0,/RTE_IPV4(239,1,1,/' "$examples/ipv4_multicast/main.c"
for example in l3fwd ipv4_multicast; do
    say "building $example of $source"
    make -s -C "$examples/$example" shared >&2
    cp -L "$examples/$example/build/$example" "$PEERS/bin/"
done
touch "$stamp"
