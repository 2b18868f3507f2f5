#!/usr/bin/env bash
# Format check and clippy, for the core alone and for everything. The sources are held to the
# reference release; another release has other opinions, so there they only inform. And a check with
# the oldest release promised.
. "$(dirname "$0")/lib.sh"

CORE=(-p gateway --no-default-features --features sim)

# informs: on another release than the reference, a finding does not fail
informs() {
    "$@" && return
    is_reference_rust && return 1
    say "not held against the sources: this is rust $(rust_version), they follow $RUST_REFERENCE"
}

check_format() {
    cargo fmt --version >/dev/null 2>&1 || { say "no rustfmt here: format not checked" && return; }
    informs cargo fmt --all --check &&
        informs cargo fmt --manifest-path gateway/fuzz/Cargo.toml --check
}

check_clippy() {
    cargo clippy --version >/dev/null 2>&1 || { say "no clippy here: lints not checked" && return; }
    local deny=()
    ! is_reference_rust || deny=(-- -D warnings)
    informs cargo clippy --locked --all-targets "${CORE[@]}" "${deny[@]}" &&
        informs cargo clippy --locked --all-targets --workspace "${deny[@]}" &&
        check_fuzz "${deny[@]}"
}

# A workspace of its own; the versions are the gateway's.
check_fuzz() {
    cp Cargo.lock gateway/fuzz/Cargo.lock
    informs cargo clippy --manifest-path gateway/fuzz/Cargo.toml --target-dir target/fuzz "$@"
}

# What Debian 12 and 13 bring: a newer language builds here and not there.
check_minimum() {
    if ! rustup run "$RUST_MINIMUM" rustc --version >/dev/null 2>&1 &&
        ! rustup toolchain install "$RUST_MINIMUM" --profile minimal --no-self-update >&2; then
        say "no rust $RUST_MINIMUM here, and no rustup to bring it: not checked with it"
        return
    fi
    cargo "+$RUST_MINIMUM" check --locked --workspace --all-targets --target-dir target/minimum
}

check_scripts() {
    have shellcheck || { say "no shellcheck here: scripts not checked" && return; }
    shellcheck -x -P scripts scripts/*.sh bench/pktgen/*.sh .ci/run
}

case ${1:-all} in
format) check_format ;;
clippy) check_clippy ;;
minimum) check_minimum ;;
scripts) check_scripts ;;
all) check_format && check_clippy && check_minimum && check_scripts ;;
*) die "usage: scripts/lint.sh [format|clippy|minimum|scripts]" ;;
esac
