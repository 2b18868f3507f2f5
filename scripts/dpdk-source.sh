#!/usr/bin/env bash
# Puts the DPDK source meson-wrap names into its package cache and checks the hash. First from
# DPDK's own site; if that is away, from Debian's source package, which holds the same file.
. "$(dirname "$0")/lib.sh"

WRAP=meson-wrap/subprojects/dpdk.wrap
CACHE=meson-wrap/subprojects/packagecache

field() { sed -n "s/^$1 = //p" "$WRAP"; }

url=$(field source_url)
hash=$(field source_hash)
file=$CACHE/$(field source_filename)
version=$(basename "$url" .tar.xz)
version=${version#dpdk-}

is_right() { [ -f "$file" ] && echo "$hash  $file" | sha256sum --check --status; }

# Debian 12's archive, in an apt of its own: neither the system's lists nor its sources change.
from_debian() {
    local work suite=bookworm keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    work=$(mktemp -d)
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    printf '%s\n' "deb-src [signed-by=$keyring] http://deb.debian.org/debian $suite main" \
        "deb-src [signed-by=$keyring] http://deb.debian.org/debian $suite-updates main" \
        "deb-src [signed-by=$keyring] http://security.debian.org/debian-security $suite-security main" \
        >"$work/sources.list"
    local apt=(apt-get -qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=-
        -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
    "${apt[@]}" update >&2 || say "some of Debian's lists did not come"
    (cd "$work" && "${apt[@]}" source --download-only dpdk >&2) &&
        mv "$work/dpdk_$version.orig.tar.xz" "$file"
    local result=$?
    rm -rf "$work"
    return $result
}

mkdir -p "$CACHE"
is_right && exit
say "DPDK $version from $url"
curl -fsSL --connect-timeout 10 -o "$file" "$url" || rm -f "$file"
if ! is_right; then
    say "not from there: trying Debian's source package"
    from_debian || die "no DPDK $version to be had: put $url at $file"
fi
is_right || die "$file does not have the sha256 $hash"
