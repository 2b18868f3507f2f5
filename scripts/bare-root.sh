#!/usr/bin/env bash
# Proves that a bare Debian gets through: unpacks one into DIR, clones HEAD into it, runs make there.
#   scripts/bare-root.sh DIR [TARGET]...       default targets: demo test
# SUITE (bookworm) and MIRROR name the Debian. The CA bundle and the proxy variables of this machine
# go along, nothing else. Needs root and debootstrap; DIR stays, so a second run is quick.
. "$(dirname "$0")/lib.sh"

SUITE=${SUITE:-bookworm}
MIRROR=${MIRROR:-http://deb.debian.org/debian}

unpack() {
    have debootstrap || die "debootstrap is missing: apt-get install debootstrap"
    say "unpacking $SUITE into $1"
    debootstrap --variant=minbase --include=ca-certificates,git,make "$SUITE" "$1" "$MIRROR" >&2
}

# In a mount and a PID namespace of its own: nothing mounted or started there outlives it.
inside() {
    local root=$1 ca=/etc/ssl/host-ca.crt name
    local passed=("SSL_CERT_FILE=$ca" "CARGO_HTTP_CAINFO=$ca" "CURL_CA_BUNDLE=$ca")
    shift
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        [ -z "${!name:-}" ] || passed+=("$name=${!name}")
    done
    # shellcheck disable=SC2016  # expanded by the inner shell
    unshare --mount --pid --fork --kill-child --propagation private bash -euc '
        root=$1; shift
        mount --bind "$root" "$root" # so that / is a mount point there, as anywhere
        mount -t proc proc "$root/proc"
        mount --rbind /sys "$root/sys"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs tmpfs "$root/run"
        exec chroot "$root" "$@"' - "$root" \
        env -i HOME=/root TERM=dumb LANG=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${passed[@]}" "$@"
}

[ $# -ge 1 ] || die "usage: scripts/bare-root.sh DIR [TARGET]..."
[ "$(id -u)" -eq 0 ] || die "chroot needs root"
root=$(mkdir -p "$1" && cd "$1" && pwd)
shift
[ -x "$root/usr/bin/git" ] || unpack "$root"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/host-ca.crt"
cp /etc/resolv.conf "$root/etc/resolv.conf"
rm -rf "$root/srv/gateway"
git clone -q --no-local "$ROOT" "$root/srv/gateway"
[ $# -gt 0 ] || set -- demo test
for target in "$@"; do
    say "make $target on Debian $(cat "$root/etc/debian_version")"
    started=$SECONDS
    inside "$root" make -C /srv/gateway "$target"
    say "make $target: $((SECONDS - started)) s"
done
