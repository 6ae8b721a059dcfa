#!/usr/bin/env bash
# Kills, stops, cuts off and restarts at random from a printed seed, then checks that nothing was lost and nothing settled twice.
#   build/chaos.sh [--store postgres|sqlite] [--kills N] [--minutes M] [--seed S] [--each N] [--json FILE]
#   build/chaos.sh --scenario network     nodes are cut off and stopped, and nothing else
#   build/chaos.sh --scenario restarts    10,000 entries with steps, and a server that is restarted every 5 to 40 seconds
#   build/chaos.sh --without fence        a rule left out: the checker must find it (or lost-answers)
#   build/chaos.sh --short                about two minutes: both stores, a fixed seed and a random one
set -euo pipefail
cd "$(dirname "$0")/.."
# Compiled ahead of time where that is possible, as a thousand processes are started: what they do is to be measured, not the compiler in them.
publish() { dotnet publish tests/TaskRecovery.Chaos -c Release --use-current-runtime --no-self-contained -o artifacts/chaos -v quiet -nologo "$@"; }
publish -p:PublishReadyToRun=true || publish
export DOTNET_ThreadPool_UnfairSemaphoreSpinLimit=0
chaos() { dotnet artifacts/chaos/TaskRecovery.Chaos.dll "$@"; }

if [ "${1:-}" = "--short" ]; then
    chaos --store postgres --minutes 0.5 --seed 42 --workers 4
    chaos --store sqlite --minutes 0.25 --workers 4
else
    chaos "$@"
fi
