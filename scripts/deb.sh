#!/usr/bin/env bash
# Packs the release into target/deb/gateway_VERSION_ARCH.deb, linked to Debian's own DPDK.
. "$(dirname "$0")/lib.sh"

# Plug-ins the program does not link: without them there is no port.
PLUGINS=(bus-pci bus-vdev mempool-ring mempool-stack
    net-af-packet net-af-xdp net-e1000 net-ixgbe net-memif net-null net-pcap net-ring net-tap net-virtio)

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
arch=$(dpkg --print-architecture)
tree=target/deb/tree
deb=target/deb/gateway_${version}_$arch.deb

# The package that holds the shared library librte_NAME of the DPDK that was linked.
rte_package() {
    # shellcheck disable=SC2016  # dpkg-query's own variable
    dpkg-query -W -f '${Package}\n' "librte-$1*" | grep -xE "librte-$1-?[0-9]+(t64)?" | head -n 1
}

depends() {
    local plugin work
    work=$(mktemp -d)
    mkdir "$work/debian"
    printf 'Source: gateway\n\nPackage: gateway\nArchitecture: any\n' >"$work/debian/control"
    (cd "$work" && dpkg-shlibdeps -O "-e$ROOT/$tree/usr/bin/gateway" 2>/dev/null) |
        sed 's/^shlibs:Depends=//'
    rm -rf "$work"
    for plugin in "${PLUGINS[@]}"; do
        rte_package "$plugin"
    done
}

say "building the release"
cargo build --release --locked -p gateway >&2
rm -rf target/deb
install -D -s target/release/gateway "$tree/usr/bin/gateway"
install -D -m 644 deploy/systemd/gateway.service "$tree/lib/systemd/system/gateway.service"
doc=$tree/usr/share/doc/gateway
install -D -m 644 LICENSE "$doc/copyright"
install -m 644 CHANGELOG.md docs/operating.md docs/limits.md "$doc"
install -D -m 644 -t "$doc/examples" deploy/examples/*.toml deploy/systemd/sysctl-gateway.conf
install -d "$tree/etc/gateway" "$tree/DEBIAN"
cat >"$tree/DEBIAN/control" <<CONTROL
Package: gateway
Version: $version
Architecture: $arch
Maintainer: the gateway authors <gateway@localhost>
Depends: $(depends | paste -sd , | sed 's/,,*/, /g')
Section: net
Priority: optional
Description: poll-mode UDP gateway on DPDK
 Bridges and routes UDP with software GRO: datagrams of one flow are decided
 on together and leave exactly as they came.
CONTROL
dpkg-deb --root-owner-group --build "$tree" "$deb" >&2
echo "$deb"
