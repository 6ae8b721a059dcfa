#!/usr/bin/env bash
# Everything that must succeed before a change is done. CI runs the same; native programs have a job of their own there.
#
#   build/check.sh                              format, build, tests, pack, consumer, native, model, fleet, chaos
#   build/check.sh --without-tests-and-model    pack, consumers, fleet and chaos: .ci/run has built and tested already
set -euo pipefail
cd "$(dirname "$0")/.."

stage() {
    printf '\n== %s\n' "$1"
}

stage "format"
dotnet format whitespace . --folder --verify-no-changes

if [ "${1:-}" != "--without-tests-and-model" ]; then
    # The build checks the code style (EnforceCodeStyleInBuild). The README's test command builds everything too.
    stage "build without warnings"
    dotnet build -v q -nologo

    stage "tests"
    build/test.sh --no-build
fi

# The build above has run the analyzers on the same code.
export RunAnalyzers=false

stage "pack"
rm -rf artifacts/packages artifacts/tools artifacts/consumer build/consumer/{bin,obj} build/testing-consumers/*/{bin,obj}
dotnet msbuild build/Packages.proj -m -nodeReuse:false -v:q -nologo
mkdir -p artifacts/tools
mv artifacts/packages/TaskRecovery.Cli.* artifacts/tools/ # no consumer references it
ls artifacts/packages
PackedVersion=$(basename artifacts/packages/TaskRecovery.PostgreSql.*.nupkg .nupkg)
PackedVersion=${PackedVersion#TaskRecovery.PostgreSql.}
export PackedVersion # the projects of the consumers read it

stage "the command line, installed from its package"
dotnet tool install TaskRecovery.Cli --version "$PackedVersion" \
    --tool-path artifacts/tools/installed --add-source artifacts/tools >/dev/null
export TASKRECOVERY_CONNECTION="Data Source=$PWD/artifacts/tools/check.db"
artifacts/tools/installed/taskrecovery migrate --yes
artifacts/tools/installed/taskrecovery status
artifacts/tools/installed/taskrecovery check
artifacts/tools/installed/taskrecovery migrate --script --from 2 -o artifacts/tools/migrate.sql
artifacts/tools/installed/taskrecovery doctor || [ $? -eq 1 ] # a disk may be almost full
unset TASKRECOVERY_CONNECTION

stage "a consumer of the packages"
# A source of the machine may offer packages of these names too: the restored ones must be those that were packed above.
dotnet restore build/consumer -v q
dotnet msbuild build/testing-consumers/Consumers.proj -t:Restore -v:q -nologo
for package in artifacts/packages/*.nupkg; do
    name=$(basename "$package" | tr '[:upper:]' '[:lower:]')
    restored=$(find artifacts/consumer -name "$name.sha512")
    if [ -z "$restored" ]; then
        echo "No consumer uses $name: reference it in build/consumer." >&2
        exit 1
    fi
    if [ "$(cat "$restored")" != "$(openssl dgst -sha512 -binary "$package" | openssl base64 -A)" ]; then
        echo "The consumer restored another $name than the one in artifacts/packages." >&2
        exit 1
    fi
done
if [ -n "${TASKRECOVERY_TEST_POSTGRES:-}" ]; then
    dotnet run --no-restore --project build/consumer -- "$PWD/artifacts/consumer"
else
    build/postgres.sh run dotnet run --no-restore --project build/consumer -- "$PWD/artifacts/consumer"
fi

stage "a consumer for each test framework"
dotnet msbuild build/testing-consumers/Consumers.proj -v:q -nologo
dotnet vstest build/testing-consumers/{Xunit,NUnit,MSTest}/bin/Debug/net10.0/TaskRecovery.Consumer.*.dll

if [ "${1:-}" != "--without-tests-and-model" ]; then
    stage "the model of the protocol"
    build/check-model.sh

    stage "native programs"
    build/check-aot.sh
fi

stage "sixty nodes and two hundred connections"
TASKRECOVERY_FLEET_NODES=60 build/test.sh --no-build --project tests/TaskRecovery.PostgreSql.Tests \
    --filter "FullyQualifiedName~ConnectionCountTests.A_fleet_starts"

stage "a short chaos run"
build/chaos.sh --short

stage "all good"
