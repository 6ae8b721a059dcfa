#!/usr/bin/env bash
# Checks the models of the protocol (docs/protocol/queue.pml, jobs.pml, overlap.pml) with spin: the protocol holds, and spin finds the
# bug of every broken variant.
# Usage: build/check-model.sh [VARIANT...]   without arguments: all of them, a minute and a half on two cores; needs 4 GB of memory
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export models=$root/docs/protocol
work=$(mktemp -d)
export work
trap 'rm -rf "$work"' EXIT

if ! command -v spin >/dev/null || ! command -v gcc >/dev/null; then
    sudo=$([ "$(id -u)" -eq 0 ] || echo sudo)
    apt=(${sudo:+"$sudo"} apt-get -qq -o Acquire::Retries=5 -o DPkg::Lock::Timeout=600)
    "${apt[@]}" update
    "${apt[@]}" install -y --no-install-recommends spin gcc libc6-dev >/dev/null
fi

# name, expected, kind of search, definitions. Expected: holds, or what the checker must find:
#   overlap     a node starts the entry while another node has not cancelled its handler
#   invariant   the entry is in no place or in two places, or it ended twice
#   stuck       the entry never ends
#   wrong       a node takes a lost result as accepted
#   orphan      a claim refers to a node that does not exist
# and of jobs.pml:
#   stale       a run of an old plan starts
#   twice       a single run runs twice
#   never       the latest plan has no run
# and of overlap.pml:
#   beside      a run starts while another one runs
#   never       the newest run does not complete
cases="
protocol-ends              holds    live -DFAULTS=2
protocol-ends-1-fault      holds    live -DFAULTS=1
protocol                   holds    safe -DFAULTS=2
protocol-3-nodes           holds    safe -DFAULTS=1 -DN=3
protocol-strangers         holds    safe -DFAULTS=1 -DSTRANGERS
protocol-erase             holds    safe -DFAULTS=1 -DERASE
protocol-short-kept        holds    safe -DSHORT_DEADLINE_KEPT -DOLD_BEAT_COUNTS
FILE_COUNTER               holds    safe -DFAULTS=2
FILE_COUNTER_3_NODES       holds    safe -DFILE_COUNTER -DFAULTS=1 -DN=3
FILE_COUNTER_ENDS          holds    live -DFILE_COUNTER -DFAULTS=1
NO_FENCE                   invariant safe
NO_GRACE                   overlap  safe
NO_MARGIN                  overlap  safe -DOWN_GRACE=3
NO_RECONCILE               stuck    live -DFAULTS=1
CLAIM_BY_DEAD              orphan   safe
WATCH_CARRIED_OVER         overlap  safe
EVERYBODY_IS_A_NEWCOMER    overlap  safe
MARK_UNGUARDED             overlap  safe
SWEEP_ONCE                 stuck    live
DEADLINE_FROM_ANSWER       overlap  safe
SHORT_DEADLINE_FROM_ANSWER overlap  safe
GRACE_BY_LOCK_ALONE        overlap  safe
OLD_BEAT_COUNTS            overlap  safe
VERDICT_ON_ANOTHER_SESSION overlap  safe
NO_PROBE                   overlap  safe
REFUSED_BY_A_PROXY         overlap  safe
RECONCILE_DURING_CLAIM     overlap  safe
RECONCILE_IN_ONE_STATEMENT overlap  safe
ANY_OUTCOME_IS_MINE        wrong    safe
NAMESAKE_UNCHECKED         overlap  safe
UNCONFIRMED                overlap  safe -DFILE_COUNTER
ERASE_UNDER_ANOTHER_FENCE  invariant safe -DFAULTS=1 -DERASE
ANY_OUTCOME_IS_MINE_ERASED wrong    safe -DFAULTS=1 -DERASE -DANY_OUTCOME_IS_MINE
jobs                       holds    jobs
LEFT_TO_ITS_START          twice    jobs
FORGOTTEN                  twice    jobs
ONE_READ                   twice    jobs
NOT_AFTER_AN_END           never    jobs
overlap                    holds    overlap
STARTS_AT_ONCE             beside   overlap
CANCELS_ALL                never    overlap
OLDEST_STARTS              beside   overlap
"
if [ $# -gt 0 ]; then cases=$(for name; do grep -E "^$name " <<<"$cases" || { echo "no such variant: $name" >&2; exit 2; }; done); fi

check() { # name expected kind definitions...
    local name=$1 expected=$2 kind=$3 dir=$work/$1 model=$models/queue.pml flags run found states seconds
    shift 3
    if [ "$kind" = jobs ] || [ "$kind" = overlap ]; then model=$models/$kind.pml kind=safe; fi
    mkdir "$dir" && cd "$dir"
    if [ "$expected" = holds ]; then flags=-O2; else flags=-O0; fi             # a bug is found faster than gcc can optimize
    if [ "$kind" = live ]; then set -- "$@" -DLIVE; run=-a; else flags="$flags -DSAFETY -DNOCLAIM"; run=; fi
    if [ "$expected" != holds ] && [ "$kind" = safe ]; then flags="$flags -DT_REVERSE -DP_REVERSE"; fi   # another order, in which bugs are found sooner
    spin -a "-D$name" "$@" "$model" >spin.out 2>&1
    # shellcheck disable=SC2086
    gcc -w $flags -o pan pan.c
    # A limit of computing time: beside the tests, a search may wait for a processor for minutes.
    # shellcheck disable=SC2086
    (ulimit -t 900 && exec ./pan $run -m100000 -w23) >pan.out 2>&1 || true
    case $(grep -m1 -E '^pan:1: ' pan.out || true) in
        *acceptance*) found=stuck ;;
        *'late['*) found=overlap ;;
        *'(j==stored)'*) found=invariant ;;
        *exists*) found=orphan ;;
        *outcome*) found=wrong ;;
        *now_version*) found=stale ;;
        *"runs<2"*) found=twice ;;
        *is_cancelled* | *completed*) found=never ;;
        *'runs[r]'*) found=beside ;;
        '') if grep -q 'errors: 0' pan.out && ! grep -qiE 'search not completed|max search depth|out of memory' pan.out; then found=holds; else found=unfinished; fi ;;
        *) found=other ;;
    esac
    states=$(sed -nE 's/^ *([0-9.e+]+) states, stored.*/\1/p' pan.out)
    seconds=$(sed -nE 's/.*elapsed time ([0-9.e-]+) seconds/\1/p' pan.out)
    printf '%-27s %-9s %-10s %10.0f %8.1f  %s\n' "$name" "$expected" "$found" "${states:-0}" "${seconds:-0}" \
        "$([ "$expected" = "$found" ] && echo ok || echo WRONG)" | tee result
    if [ "$found" = unfinished ] || [ "$found" = other ]; then cat spin.out pan.out >&2; fi
}
export -f check

printf '%-27s %-9s %-10s %10s %8s\n' variant expected found states seconds
count=$(grep -c . <<<"$cases")
grep . <<<"$cases" | xargs -P "$(nproc)" -L 1 bash -c 'check "$@"' check
[ "$(cat "$work"/*/result 2>/dev/null | grep -c ' ok$')" -eq "$count" ] || { echo "the model is not as expected" >&2; exit 1; }
echo "as expected: the protocol holds, and the bug of every broken variant was found"
