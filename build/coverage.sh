#!/usr/bin/env bash
# Runs tests and prints how many lines of each package they ran, over all test projects together. Processes that a test starts are not
# counted, so that what only crash tests run looks as if it were not tested.
#   build/coverage.sh            everything, on both stores
#   build/coverage.sh PROJECT    one test project
set -euo pipefail
cd "$(dirname "$0")/.."

results=artifacts/coverage
rm -rf "$results"
build/test.sh ${1:+--project "$1"} --collect "Code Coverage;Format=cobertura" --results-directory "$results"

find "$results" -name '*.cobertura.xml' -print0 | xargs -0 awk -F'"' '
    function attribute(name,    i) {
        for (i = 1; i < NF; i += 2) if ($i ~ " " name "=$") return $(i + 1)
    }
    /<package /  { package = tolower(attribute("name")); sub(/\.dll$/, "", package) }
    /<class /    { file = attribute("filename") }
    /<line / && package ~ /^taskrecovery/ && package !~ /(tests|testsupport|conformance|scripts|host|sample|benchmarks|chaos)$/ {
        line = package "\t" file ":" attribute("number")
        if (!(line in hits)) { total[package]++; hits[line] = 0 }
        if (attribute("hits") > 0 && !hits[line]) { hits[line] = 1; run[package]++ }
    }
    END { for (package in total) printf "%-36s %5.1f %%  %6d of %6d lines\n", package, 100 * run[package] / total[package], run[package], total[package] }
    ' | sort
