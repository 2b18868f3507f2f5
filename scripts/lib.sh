# Sourced by the scripts beside it: messages, root rights, the toolchain's place.
# shellcheck shell=bash disable=SC2034

set -euo pipefail

# rust-version in Cargo.toml, and the release whose rustfmt and clippy the sources are held to.
RUST_MINIMUM=1.85
RUST_REFERENCE=1.95

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

# rustup installs here; a shell opened before that does not know.
if [ -d "${CARGO_HOME:-$HOME/.cargo}/bin" ]; then
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

say() { printf '==> %s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        die "this needs root: run it as root or install sudo ($*)"
    fi
}

# at_least HAVE WANT: dotted versions
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

rust_version() { rustc --version 2>/dev/null | cut -d ' ' -f 2; }

# Whether there are free hugepages for the largest program of the ladder, with 131,071 buffers.
hugepages_are_free() {
    awk '/^HugePages_Free/ {pages = $2} /^Hugepagesize/ {kib = $2} END {exit !(pages * kib >= 1400000)}' \
        /proc/meminfo
}

# path_cycles PROGRAM ARGUMENTS...: cycles per frame of a path-cost
path_cycles() { "$@" | sed -n 's/.*"cycles_per_frame":\([0-9.]*\).*/\1/p'; }

# Figures, a line each, to: median, least, most.
spread() {
    sort -n | awk '{v[NR] = $1} END {if (NR) print v[int((NR + 1) / 2)], v[1], v[NR]}'
}

# The release the lints are written for; another one knows other lints and other line breaks.
is_reference_rust() { [[ "$(rust_version)" == "$RUST_REFERENCE".* ]]; }
