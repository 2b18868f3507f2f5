#!/usr/bin/env bash
# Runs tests, every one in a process of its own: DPDK's EAL starts once per process.
#   scripts/cargo-test.sh CARGO-TEST-ARGS...
# With cargo-nextest where it is; else the same by hand, one after the other.
. "$(dirname "$0")/lib.sh"

if cargo nextest --version >/dev/null 2>&1; then
    exec cargo nextest run --locked --no-fail-fast --status-level slow --final-status-level slow "$@"
fi

TIMEOUT_S=900
passed=0
failed=()

# run_binary EXECUTABLE PACKAGE-DIR: cargo starts tests in their package's folder
run_binary() {
    local test output
    while IFS= read -r test; do
        if output=$(cd "$2" && CARGO_MANIFEST_DIR=$2 \
            timeout "$TIMEOUT_S" "$1" --exact "$test" --nocapture 2>&1 </dev/null); then
            passed=$((passed + 1))
        else
            failed+=("$(basename "$1") $test")
            printf -- '---- %s ----\n%s\n' "$test" "$output" >&2
        fi
    done < <("$1" --list --format terse 2>/dev/null | sed -n 's/: test$//p')
}

# One line per executable: its package's folder, a tab, its path.
executables() {
    cargo test --locked --no-run --message-format=json "$@" |
        sed -n 's/.*"manifest_path":"\([^"]*\)\/Cargo.toml".*"executable":"\([^"]*\)".*/\1\t\2/p'
}

list=$(executables "$@")
while IFS=$'\t' read -r folder executable; do
    say "running $(basename "$executable")"
    run_binary "$executable" "$folder"
done <<<"$list"
for test in "${failed[@]}"; do
    say "FAILED: $test"
done
result=ok
[ ${#failed[@]} -eq 0 ] || result=FAILED
echo "test result: $result. $passed passed; ${#failed[@]} failed"
[ ${#failed[@]} -eq 0 ] && [ "$passed" -gt 0 ]
