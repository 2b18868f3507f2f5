#!/usr/bin/env bash
# Installs what is missing on Debian 12 or 13, and asks nothing. Nothing missing: apt is not called.
#   scripts/install.sh [build|test|dpdk|bench|deb]...      default: build
. "$(dirname "$0")/lib.sh"

BUILD=(gcc libc6-dev pkg-config libdpdk-dev libclang-dev iproute2 ethtool ca-certificates)
TEST=(g++ tcpdump python3 python3-scapy procps valgrind frr smcroute dnsmasq-base ngtcp2-client
    ngtcp2-server dpdk-dev lua5.4)
DPDK=(meson ninja-build python3-pyelftools libnuma-dev libpcap-dev libelf-dev libbpf-dev libxdp-dev
    curl xz-utils dpkg-dev)
DEB=(dpkg-dev)
# The peers of the ladder: testpmd, and what builds DPDK's examples.
BENCH=(dpdk-dev make curl xz-utils dpkg-dev)

is_installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

updated=
apt_install() {
    if [ -z "$updated" ]; then
        say "apt-get update"
        as_root apt-get -qq -o Dpkg::Use-Pty=0 update >&2
        updated=yes
    fi
    say "apt-get install $*"
    # --no-remove: what is there stays, whatever the price.
    without_services as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 \
        install --no-install-recommends --no-remove "$@" >&2
}

# The tests start the daemons they need, in namespaces of their own: apt starts none on this machine
# (invoke-rc.d(8), policy-rc.d), nor does the next boot.
without_services() {
    local policy=/usr/sbin/policy-rc.d made='' status=0 service
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        made=yes
    fi
    "$@" || status=$?
    [ -z "$made" ] || as_root rm -f "$policy"
    for service in frr:frr smcroute:smcroute ngtcp2-server:ngtcp2d; do
        if have systemctl && [[ " $* " == *" ${service%:*} "* ]]; then
            as_root systemctl --quiet disable "${service#*:}" || true
        fi
    done
    return "$status"
}

install_packages() {
    have dpkg-query || die "not a Debian system: install by hand: $*"
    local package missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

have_rust() { have cargo && have rustc && at_least "$(rust_version)" "$RUST_MINIMUM"; }

candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p'; }

# Debian 13: rustc. Debian 12: rustc is 1.63, but rustc-web (what its Firefox is built with) will do.
rust_by_apt() {
    [ -n "$updated" ] || { as_root apt-get -qq -o Dpkg::Use-Pty=0 update >&2 && updated=yes; }
    local suffix
    for suffix in "" -web; do
        at_least "$(candidate "rustc$suffix")" "$RUST_MINIMUM" || continue
        apt_install "rustc$suffix" "cargo$suffix" || continue
        # Only the checks of form need these two: not fatal.
        apt_install "rustfmt$suffix" || true
        [ -n "$suffix" ] || apt_install rust-clippy || true
        return 0
    done
    return 1
}

rust_by_rustup() {
    if ! have rustup; then
        have curl || apt_install curl
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
            sh -s -- -y --profile minimal --component clippy,rustfmt >&2 || return 1
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    fi
    have_rust || rustup update stable >&2
}

install_rust() {
    have_rust && return
    if have rustc; then
        say "rustc $(rust_version) is older than $RUST_MINIMUM"
    else
        say "no Rust toolchain found"
    fi
    if ! have rustup && rust_by_apt && have_rust; then return; fi
    say "apt has no rustc >= $RUST_MINIMUM to add here: trying rustup"
    if rust_by_rustup && have_rust; then return; fi
    die "no rustc >= $RUST_MINIMUM could be installed: see https://rustup.rs, then try again"
}

packages=("${BUILD[@]}")
for set in "$@"; do
    case $set in
    build) ;;
    test) packages+=("${TEST[@]}") ;;
    dpdk) packages+=("${DPDK[@]}") ;;
    bench) packages+=("${BENCH[@]}") ;;
    deb) packages+=("${DEB[@]}") ;;
    *) die "unknown set: $set" ;;
    esac
done
install_packages "${packages[@]}"
install_rust
pkg-config --atleast-version=22.11 libdpdk ||
    die "libdpdk $(pkg-config --modversion libdpdk) is older than 22.11"
say "ready: rustc $(rust_version), libdpdk $(pkg-config --modversion libdpdk)"
