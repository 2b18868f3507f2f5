#!/usr/bin/env bash
# Which lines of each room are reached, by kept and gathered fuzz inputs or by the core tests.
#   scripts/coverage.sh [fuzz|core]      default: fuzz; needs rustup component add llvm-tools
. "$(dirname "$0")/lib.sh"

CORE=(--locked -p gateway --no-default-features --features sim)
TOOLS=$(rustc --print target-libdir)/../bin
OUT=target/coverage
[ -x "$TOOLS/llvm-cov" ] || die "no llvm-cov: rustup component add llvm-tools"

case ${1:-fuzz} in
fuzz) tests=(--test fuzz) only=(--exact kept_inputs_pass) ;;
core) tests=(--lib --tests) only=() ;;
*) die "usage: scripts/coverage.sh [fuzz|core]" ;;
esac

export RUSTFLAGS="-Cinstrument-coverage" CARGO_TARGET_DIR=$OUT
rm -rf "$OUT/raw" && mkdir -p "$OUT"
# Build scripts and macros are instrumented too: what they count is thrown away.
LLVM_PROFILE_FILE=/dev/null cargo test "${CORE[@]}" "${tests[@]}" --no-run --message-format=json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' >"$OUT/executables"
export LLVM_PROFILE_FILE=$ROOT/$OUT/raw/%p-%m.profraw
objects=()
while IFS= read -r executable; do
    objects+=(--object "$executable")
    (cd gateway && GATHERED=$ROOT/target/fuzz/gathered "$executable" -q "${only[@]}") >&2 || true
done <"$OUT/executables"
"$TOOLS/llvm-profdata" merge -sparse "$OUT"/raw/*.profraw -o "$OUT/all.profdata"

# Columns 8 and 9: lines, and those missed.
"$TOOLS/llvm-cov" report "${objects[@]:1}" --instr-profile "$OUT/all.profdata" \
    --ignore-filename-regex '(registry|rustc|tests?)/|tests?\.rs' 2>/dev/null |
    awk '$1 ~ /\.rs$/ {room = $1; sub(/.*gateway\/src\//, "", room); sub(/\/.*|\.rs$/, "", room)
            lines[room] += $8; missed[room] += $9}
        END {for (room in lines) if (lines[room])
            printf "%-12s %5d of %5d lines, %5.1f %%\n", room, lines[room] - missed[room],
                lines[room], 100 * (1 - missed[room] / lines[room])}' | sort
