#!/usr/bin/env bash
# Runs all tests. The last line of output is: N passed, N failed. Other arguments are passed to dotnet test.
#   build/test.sh          everything, on both stores
#   build/test.sh --fast   the projects that need no server and no browser: within a minute
set -euo pipefail
cd "$(dirname "$0")/.."

export DOTNET_CLI_UI_LANGUAGE=en
log=$(mktemp)

projects=(TaskRecovery.Library.sln)
if [ "${1:-}" = "--fast" ]; then
    shift
    export RunAnalyzers=false
    projects=(tests/TaskRecovery.Tests tests/TaskRecovery.Testing.Tests)
fi

# The output goes to a file that is followed, and not through a pipe: a process that a test left running would keep a pipe open for ever.
# A project in which no test begins or ends for six minutes is ended, with the names of the tests that ran: the longest takes two.
tail -n +1 -f "$log" &
follower=$!
trap 'kill "$follower" 2>/dev/null || true; rm -f "$log"' EXIT

status=0
for project in "${projects[@]}"; do
    dotnet test "$project" -m:1 --blame-hang-timeout 6m --blame-hang-dump-type none "$@" >>"$log" 2>&1 || status=$?
done
sleep 1
kill "$follower"
wait "$follower" 2>/dev/null || true

# Each test project ends with: Passed!  - Failed:     0, Passed:    12, Skipped:     0, Total:    12, ...
read -r passed failed skipped < <(awk '
    match($0, /Failed: +[0-9]+, Passed: +[0-9]+, Skipped: +[0-9]+/) {
        split(substr($0, RSTART, RLENGTH), part, /[^0-9]+/)
        failed += part[2]; passed += part[3]; skipped += part[4]
    }
    END { print passed + 0, failed + 0, skipped + 0 }' "$log")

# A run fails if a project aborted (it reports no numbers), if no test ran, or if a test was skipped.
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    failed=1
fi
if [ "$skipped" -ne 0 ]; then
    echo "$skipped tests were skipped; no test may be skipped." >&2
    failed=$((failed + skipped))
fi
if [ "$passed" -eq 0 ] && [ "$failed" -eq 0 ]; then
    echo "No test ran." >&2
    failed=1
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
