using System.CommandLine;
using TaskRecovery.Benchmarks;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.InProcess;

if (args is ["child", var spec])
{
    return await Child.RunAsync(ChildSpec.Parse(spec));
}

var rows = new Argument<string[]>("row")
{
    Description = $"What to measure: {string.Join(", ", BenchmarkRun.RowNames)}, or without a store: engine, in-process, testing."
        + " Default: all that go through one, but for idle, fleet, simulation, foreign, retention, sweep and monitor.",
    Arity = ArgumentArity.ZeroOrMore,
};
var quick = new Option<bool>("--quick") { Description = "Smaller and fewer: a few minutes in total." };
var store = new Option<string>("--store") { Description = "postgres or sqlite.", DefaultValueFactory = _ => "postgres" };
store.AcceptOnlyFromAmong("postgres", "sqlite");
var json = new Option<FileInfo?>("--json") { Description = "Writes every figure of every round to this file." };
var docs = new Option<DirectoryInfo?>("--docs")
{
    Description = "Refreshes benchmarks.md and its charts in this folder; rows that were not run stay.",
};
var rounds = new Option<int?>("--rounds") { Description = "Rounds; medians of them are printed. Default: 3, quick 1." };
var add = new Option<bool>("--add") { Description = "With --docs: adds rounds to those of the last run instead of replacing them." };
var only = new Option<string?>("--only") { Description = "Only cases whose name contains this." };
var statements = new Option<bool>("--statements")
{
    Description = "The row fleet also counts the statements of the server, in a run after the one that it measures.",
};
var note = new Option<string?>("--note") { Description = "A line about the machine, printed on the docs page." };
var minutes = new Option<double?>("--minutes") { Description = "How long the retention row runs. Default: 10, quick 1." };
var history = new Option<int?>("--history")
{
    Description = "How many ended entries the monitor row stores first. Default: 1,000,000, quick 100,000.",
};
var tool = new Option<FileInfo?>("--tool")
{
    Description = "The program that the row command measures, such as an installed taskrecovery. Default: the one of this build.",
};
var published = new Option<DirectoryInfo?>("--published")
{
    Description = "The folder of a copy of this program that was published with -p:PublishReadyToRun=true. The row first then has a case"
        + " that starts it.",
};
var root = new RootCommand(
    "Measures TaskRecovery beside what its store can do without it.")
{
    rows, quick, store, json, docs, add, rounds, only, statements, note, minutes, history, tool, published,
};
root.SetAction(async (parsed, cancellationToken) =>
{
    var names = parsed.GetValue(rows) ?? [];
    if (names.Contains("testing", StringComparer.Ordinal))
    {
        await TestingPackage.PrintAsync();
        return 0;
    }

    if (names.Contains("engine", StringComparer.Ordinal) || names.Contains("in-process", StringComparer.Ordinal))
    {
        await EngineAlone.PrintAsync(parsed.GetValue(quick) ? 200_000 : 2_000_000);
        if (names.Contains("in-process", StringComparer.Ordinal))
        {
            InProcessBenchmarks.Run(parsed.GetValue(quick));
        }

        return 0;
    }

    return await BenchmarkRun.RunAsync(
        new BenchmarkOptions
        {
            Store = parsed.GetValue(store)!,
            Quick = parsed.GetValue(quick),
            Rounds = parsed.GetValue(rounds) ?? (parsed.GetValue(quick) ? 1 : 3),
            Json = parsed.GetValue(json)?.FullName,
            Docs = parsed.GetValue(docs)?.FullName,
            Add = parsed.GetValue(add),
            Only = parsed.GetValue(only),
            Statements = parsed.GetValue(statements),
            Note = parsed.GetValue(note),
            Minutes = parsed.GetValue(minutes) ?? (parsed.GetValue(quick) ? 1 : 10),
            History = parsed.GetValue(history) ?? (parsed.GetValue(quick) ? 100_000 : 1_000_000),
            Tool = parsed.GetValue(tool)?.FullName,
            Published = parsed.GetValue(published)?.FullName,
            Rows = names,
        },
        cancellationToken);
});
return await root.Parse(args).InvokeAsync();
