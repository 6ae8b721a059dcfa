#!/usr/bin/env bash
# Builds the solution and runs all tests. The last line of output is: N passed, N failed. Other arguments are passed to dotnet test.
#   build/test.sh                     everything, on both stores
#   build/test.sh --fast              the projects that need no server and no browser: within a minute
#   build/test.sh --project PROJECT   one test project
#   build/test.sh --slowest           names the 25 slowest tests at the end
#   build/test.sh --twice             up to three tests that failed run once more, alone, and those that pass then are named at the end; the
#                                     rows of a theory are one test
#   build/test.sh --no-build          takes what has been built; -c CONFIGURATION is for the build and the tests
set -euo pipefail
cd "$(dirname "$0")/.."

export DOTNET_CLI_UI_LANGUAGE=en

# A test process ends before code that was compiled with a profile could pay for it.
export DOTNET_TieredPGO=0

# How long the test platform waits for its own processes, in seconds: 90 otherwise, which a busy machine exceeds.
export VSTEST_CONNECTION_TIMEOUT=600

log=$(mktemp)
again=$(mktemp)
results=artifacts/tests

projects=(TaskRecovery.Library.sln) builds=1 names_slowest=0 runs_twice=0 configuration=() arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        --fast)
            export RunAnalyzers=false
            projects=(tests/TaskRecovery.Tests tests/TaskRecovery.Testing.Tests)
            ;;
        --project) projects=("$2"); shift ;;
        --slowest) names_slowest=1 ;;
        --twice) runs_twice=1 ;;
        --no-build) builds=0 ;;
        -c | --configuration) configuration=(-c "$2"); shift ;;
        *) arguments+=("$1") ;;
    esac
    shift
done
if [ "$names_slowest" -eq 1 ]; then
    rm -rf "$results"
    arguments+=(--logger trx --results-directory "$results")
fi

# The output goes to a file that is followed, and not through a pipe: a process that a test left running would keep a pipe open for ever.
# A project in which no test begins or ends for ten minutes is ended, with the names of the tests that ran. A test's own limits are at
# most fifteen, but nearly all are shorter, so that a test fails by itself and says why.
tail -n +1 -f "$log" &
follower=$!
trap 'kill "$follower" 2>/dev/null || true; rm -f "$log" "$again"' EXIT

# One build of the solution uses all cores and builds the programs too that are no tests. The tests run one project at a time, because the
# crash tests measure seconds.
status=0
if [ "$builds" -eq 1 ]; then
    for project in "${projects[@]}"; do
        dotnet build "$project" -m -nodeReuse:false -v quiet -nologo ${configuration[@]+"${configuration[@]}"} >>"$log" 2>&1 || status=$?
    done
fi
if [ "$status" -eq 0 ]; then
    for project in "${projects[@]}"; do
        dotnet test "$project" --no-build -m:1 --blame-hang-timeout 10m --blame-hang-dump-type none \
            ${configuration[@]+"${configuration[@]}"} ${arguments[@]+"${arguments[@]}"} >>"$log" 2>&1 || status=$?
    done
fi

# The tests start processes, kill them and wait for seconds, so a machine that stands still for a while can fail a correct one. It passes
# alone if the machine was the reason. If a project aborted or more than three tests failed, then the machine was not.
flaky=() flaky_rows=0
list_failed_rows() { sed -nE 's/^ *Failed (TaskRecovery\.[A-Za-z0-9_.]+).* \[[^]]*\]$/\1/p' "$log"; }
count_projects() { grep -cE '^(Passed|Failed)! +- Failed:' "$log" || true; }
if [ "$runs_twice" -eq 1 ] && [ "$status" -ne 0 ] && [ "$(count_projects)" -eq "$(find tests -name '*.Tests.csproj' | wc -l)" ]; then
    mapfile -t failures < <(list_failed_rows | sort -u)
    if [ ${#failures[@]} -ge 1 ] && [ ${#failures[@]} -le 3 ]; then
        status=0
        for failure in "${failures[@]}"; do
            project=tests/$(sed -E 's/^(TaskRecovery\.([A-Za-z]+\.)?Tests)\..*/\1/' <<<"$failure")
            # No pipe, as above. A filter that finds no test is no error for dotnet test, so the word "Passed!" is asked for.
            dotnet test "$project" --no-build --blame-hang-timeout 10m --blame-hang-dump-type none --filter "FullyQualifiedName=$failure" \
                ${configuration[@]+"${configuration[@]}"} >"$again" 2>&1 || true
            sed -E 's/^(Passed|Failed)!/Again: \1!/' "$again" >>"$log"
            if grep -q '^Passed! ' "$again"; then
                flaky+=("$failure")
                flaky_rows=$((flaky_rows + $(list_failed_rows | grep -cxF "$failure")))
            else
                status=1
            fi
        done
    fi
fi
sleep 1
kill "$follower" 2>/dev/null || true
wait "$follower" 2>/dev/null || true

# In a trx file, each test has an element with its name and its duration: 00:00:01.2345678.
if [ "$names_slowest" -eq 1 ] && [ -d "$results" ]; then
    echo "The slowest tests:"
    { find "$results" -name '*.trx' -exec grep -ho '<UnitTestResult [^>]*' {} + || true; } \
        | sed -nE 's/.* testName="([^"]*)".* duration="([0-9:]+\.?[0-9]{0,2})[0-9]*".*/\2  \1/p' \
        | sort -r | awk 'NR <= 25 { print "  " substr($0, 1, 160) }'
fi

# Each test project ends with: Passed!  - Failed:     0, Passed:    12, Skipped:     0, Total:    12, ...
read -r passed failed skipped < <(awk '
    !/^Again: / && match($0, /Failed: +[0-9]+, Passed: +[0-9]+, Skipped: +[0-9]+/) {
        split(substr($0, RSTART, RLENGTH), part, /[^0-9]+/)
        failed += part[2]; passed += part[3]; skipped += part[4]
    }
    END { print passed + 0, failed + 0, skipped + 0 }' "$log")

# Once more, where a reader of the end of a long log finds them.
if [ "$failed" -ne 0 ]; then
    echo "The failures:"
    { grep -A15 '^ *Failed TaskRecovery' "$log" || true; } | awk 'NR <= 400'
fi
if [ ${#flaky[@]} -gt 0 ]; then
    echo "Failed, and passed when they ran alone (repair these tests, or what they found):"
    printf '  %s\n' "${flaky[@]}"
    passed=$((passed + flaky_rows)) failed=$((failed - flaky_rows))
fi

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
