#!/usr/bin/env bash
# Kills, stops, cuts off and restarts processes at random, from a printed seed. Then checks that no entry was lost and
# none ended twice.
#   build/chaos.sh [--store postgres|sqlite] [--kills N] [--minutes M] [--seed S] [--each N] [--json FILE]
#   build/chaos.sh --scenario network     nodes are only cut off and stopped
#   build/chaos.sh --scenario restarts    10,000 entries with steps, and a server that is restarted every 5 to 40 seconds
#   build/chaos.sh --scenario failover    the primary is killed and its synchronous standby promoted, again and again
#   build/chaos.sh --without fence        a rule is switched off: the checker must find it (or lost-answers)
#   build/chaos.sh --short                about two minutes: both stores and failovers; in CI all seeds are fixed, so that the result is
#                                         about the change and not about the seed
set -euo pipefail
cd "$(dirname "$0")/.."
# A run starts a thousand processes. They are compiled ahead of time if possible, so that the run measures
# their work and not their compiler.
publish() { dotnet publish tests/TaskRecovery.Chaos -c Release --use-current-runtime --no-self-contained -o artifacts/chaos -v quiet -nologo "$@"; }
publish -p:PublishReadyToRun=true || publish
export DOTNET_ThreadPool_UnfairSemaphoreSpinLimit=0
chaos() { dotnet artifacts/chaos/TaskRecovery.Chaos.dll "$@"; }

if [ "${1:-}" = "--short" ]; then
    seeds=()
    next_seed() { if [ "${CI:-}" = true ]; then seeds=(--seed "$1"); fi; }
    chaos --store postgres --minutes 0.35 --seed 42 --workers 4
    next_seed 43
    chaos --store sqlite --minutes 0.2 ${seeds[@]+"${seeds[@]}"} --workers 4
    next_seed 44
    chaos --scenario failover --minutes 0.35 ${seeds[@]+"${seeds[@]}"} --workers 4
else
    chaos "$@"
fi
