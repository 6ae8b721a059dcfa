#!/usr/bin/env bash
# Measures TaskRecovery, and the limit of its store for comparison:
#   build/bench.sh [--quick] [--store postgres|sqlite] [--json FILE] [--docs [--add]] [--minutes N] [--history N] [--tool FILE]
#     [--statements] [--published DIR] [ROW...]
# A full run of every row refreshes docs/benchmarks.md; with --docs, a run of some rows does so too.
# 'in-process' runs the parts without a store, 'testing' the package for users' tests. 'retention' takes ten minutes, or --minutes.
# 'monitor' stores a history of a million ended entries first, or --history: the bounds of the dashboard are for
# build/bench.sh --history 10000000 monitor. 'command' measures the command line of this build, or --tool,
# such as an installed taskrecovery. With --statements, 'fleet' also counts the server's statements, in runs of their own. 'first' also
# measures a copy of the benchmarks that was compiled ahead of time, with --published:
#   dotnet publish tests/TaskRecovery.Benchmarks -c Release --use-current-runtime --no-self-contained -p:PublishReadyToRun=true -o DIR
# 'idle', 'fleet', 'simulation', 'foreign', 'retention', 'sweep' and 'monitor' run only if they are named.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

args=() full=1 docs=0
while [ $# -gt 0 ]; do
    case $1 in
        --docs) docs=1 ;;
        --quick | --add) full=0; args+=("$1") ;;
        --store | --json | --rounds | --note | --minutes | --history | --tool | --published) args+=("$1" "$2"); shift ;;
        --only) full=0; args+=("$1" "$2"); shift ;;
        -*) args+=("$1"); full=0 ;;
        *) full=0; args+=("$1") ;;
    esac
    shift
done
if [ $full -eq 1 ] || [ $docs -eq 1 ]; then
    args+=(--docs "$root/docs")
fi

export DOTNET_CLI_UI_LANGUAGE=en
dotnet build "$root/tests/TaskRecovery.Benchmarks" -c Release -v quiet -nologo
exec dotnet "$root/tests/TaskRecovery.Benchmarks/bin/Release/net10.0/TaskRecovery.Benchmarks.dll" ${args[@]+"${args[@]}"}
