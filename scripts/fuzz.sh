#!/usr/bin/env bash
# Coverage-guided fuzzing with libFuzzer on stable Rust: the sanitizer-coverage flags are LLVM's and
# need no nightly. New inputs are gathered in target/fuzz, failures in gateway/fuzz/crashes.
#   scripts/fuzz.sh [-s SECONDS] [TARGET]...     fuzz each (default: all) for that long (60)
#   scripts/fuzz.sh --short [TARGET]...          a fixed number of inputs from a fixed seed: the same on every run
#   scripts/fuzz.sh --build                      only build
#   scripts/fuzz.sh --keep [TARGET]...           add what the gathered inputs reach to the corpus
# SEED=N begins with that; default: another one each time.
. "$(dirname "$0")/lib.sh"

FUZZ=gateway/fuzz
ALL=(parse membership resegment config path)
HOST=$(rustc -vV | sed -n 's/^host: //p')
BINARIES=target/fuzz/$HOST/release
# Longer inputs reach nothing new, and are slow to run and to keep.
MAX_LEN=2048
GATHERED=target/fuzz/gathered
# Inputs of each that --short runs: half a minute in all.
declare -A SHORT=([parse]=2000000 [membership]=300000 [resegment]=30000 [config]=300 [path]=6000)

build() {
    local coverage=-Cllvm-args=-sanitizer-coverage
    local flags=(-Cpasses=sancov-module "$coverage-level=4" "$coverage-inline-8bit-counters"
        "$coverage-pc-table" "$coverage-trace-compares" -Ccodegen-units=1 --cfg fuzzing)
    # The versions the gateway is built with; libFuzzer is pinned in the manifest.
    cp Cargo.lock "$FUZZ/Cargo.lock"
    # --target: build scripts and macros are not instrumented.
    RUSTFLAGS="${flags[*]}" cargo build --quiet --release --manifest-path "$FUZZ/Cargo.toml" \
        --bins --target "$HOST" --target-dir target/fuzz
}

# seeds TARGET: folders that are read only
seeds() {
    local folder
    for folder in "$FUZZ/corpus/$1" "$FUZZ/crashes/$1"; do
        [ ! -d "$folder" ] || printf '%s\n' "$folder"
    done
    [ "$1" != config ] || printf '%s\n' gateway/tests/config/{valid,errors} deploy/examples
}

options() {
    if [ "$action" = short ]; then
        printf '%s\n' "-runs=${SHORT[$1]}" -seed=1
    else
        printf '%s\n' "-max_total_time=$SECONDS_EACH"
        [ -z "${SEED:-}" ] || printf '%s\n' "-seed=$SEED"
    fi
    [ "$1" != config ] || printf '%s\n' "-dict=$FUZZ/config.dict"
}

fuzz() {
    local target=$1 gathered=$GATHERED/$1 log=target/fuzz/$1.log
    local -a folders extra
    mkdir -p "$gathered" "$FUZZ/crashes/$target"
    mapfile -t folders < <(seeds "$target")
    mapfile -t extra < <(options "$target")
    say "fuzzing $target: ${extra[0]#-}"
    "$BINARIES/$target" -max_len="$MAX_LEN" -timeout=20 \
        -rss_limit_mb=2048 -artifact_prefix="$FUZZ/crashes/$target/" -print_final_stats=1 \
        "${extra[@]}" "$gathered" "${folders[@]}" >"$log" 2>&1 || {
        tail -n 40 "$log" >&2
        die "$target failed; the input is in $FUZZ/crashes/$target"
    }
    rmdir --ignore-fail-on-non-empty "$FUZZ/crashes/$target"
    awk -v target="$target" '/ cov: / {cov = $0; sub(/.* cov: /, "", cov); sub(/ .*/, "", cov)}
        /number_of_executed_units/ {runs = $2}
        END {printf "%-12s %12d executions, %6d edges reached\n", target, runs, cov}' "$log"
}

# What was gathered has no part in it, and stays.
short() {
    local GATHERED=target/fuzz/short
    rm -rf "${GATHERED:?}/$1"
    fuzz "$1"
}

# The smallest inputs that reach all that is reached.
keep() {
    local target=$1 kept=target/fuzz/kept/$1
    local -a folders
    mapfile -t folders < <(seeds "$target")
    rm -rf "$kept" && mkdir -p "$kept" "$FUZZ/corpus/$target" "$GATHERED/$target"
    "$BINARIES/$target" -merge=1 -max_len="$MAX_LEN" "$kept" "$GATHERED/$target" \
        "${folders[@]}" >"target/fuzz/$target.merge.log" 2>&1
    rm -rf "${FUZZ:?}/corpus/$target" && mv "$kept" "$FUZZ/corpus/$target"
    say "$target: $(find "$FUZZ/corpus/$target" -type f | wc -l) inputs," \
        "$(du -bs "$FUZZ/corpus/$target" | cut -f 1) bytes"
}

SECONDS_EACH=60 action=fuzz targets=()
while [ $# -gt 0 ]; do
    case $1 in
    -s) SECONDS_EACH=$2 && shift ;;
    --build) action=: ;;
    --short) action=short ;;
    --keep) action=keep ;;
    -*) die "usage: scripts/fuzz.sh [--build|--short|--keep] [-s SECONDS] [TARGET]..." ;;
    *) targets+=("$1") ;;
    esac
    shift
done
have g++ || have clang++ || die "libFuzzer is C++: install g++ (scripts/install.sh test)"
[ ${#targets[@]} -gt 0 ] || targets=("${ALL[@]}")
build
for target in "${targets[@]}"; do
    "$action" "$target"
done
