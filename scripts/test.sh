#!/usr/bin/env bash
# The whole test suite, stage by stage; ends with the time of each and the totals of all.
#   scripts/test.sh [STAGE]...       default: all
. "$(dirname "$0")/lib.sh"

CORE=(-p gateway --no-default-features --features sim)
LOGS=target/test-logs
mkdir -p "$LOGS"

stage_format() { scripts/lint.sh format; }
stage_clippy() { scripts/lint.sh clippy; }
stage_minimum() { scripts/lint.sh minimum; }
stage_core() { scripts/cargo-test.sh "${CORE[@]}"; }
# Not among the default ones: the laws hold without the ideas that make the path fast (gateway/src/ideas.rs).
stage_plain() {
    GATEWAY_WITHOUT=all scripts/cargo-test.sh --target-dir target/plain "${CORE[@]}" --lib \
        --test conformance --test fuzz --test gro --test gso --test simulation --test worker
}
stage_docs() { cargo test --locked --doc --quiet "${CORE[@]}"; }
stage_dpdk() { scripts/cargo-test.sh --workspace; }
stage_cost() { scripts/cost.sh; }
stage_generators() { scripts/generators.sh; }

# Each run begins with what was kept, and ends where a failure is a file to replay. The same inputs on
# every run: what is new is looked for by make fuzz, not by a change that has nothing to do with it.
stage_fuzz() {
    if ! have g++; then
        say "FUZZING SKIPPED: no g++ for libFuzzer, and apt could not bring it"
        return
    fi
    scripts/fuzz.sh --short
}

summary=()
broken=0

run_stage() {
    local name=$1 started=$SECONDS result=ok
    say "stage $name"
    "stage_$name" 2>&1 | tee "$LOGS/$name.log" || result=FAILED
    [ "$result" = ok ] || broken=$((broken + 1))
    summary+=("$(printf '%-10s %-7s %4d s' "$name" "$result" $((SECONDS - started)))")
}

# From the closing lines of nextest and of cargo test.
count() {
    sed -n '/Summary \[\|^test result:/p' "$LOGS"/*.log |
        { grep -oE "[0-9]+ ($1)" || true; } | awk '{n += $1} END {print n + 0}'
}

[ $# -gt 0 ] || set -- format clippy minimum core docs dpdk generators cost fuzz
rm -f "$LOGS"/*.log
for name in "$@"; do
    run_stage "$name"
done

failed=$(count 'failed|timed out|exec failed')
[ "$broken" -le "$failed" ] || failed=$broken
printf '\n'
printf '%s\n' "${summary[@]}" "total              $SECONDS s"
printf '\n%d passed, %d failed\n' "$(count passed)" "$failed"
[ "$broken" -eq 0 ]
