using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>Whether other defaults would be better.</summary>
internal sealed class SweepRow : BenchmarkRow
{
    private const string Default = "default options";

    private IBenchmarkDatabase? _template;

    public override string Name => "sweep";

    public override string Title => "Drain by concurrency and prefetch";

    public override string Text
        => "One process drains entries that do nothing. By default 20 entries run at once, and the number claimed ahead follows the rate,"
        + " up to 2,000. The floor is the default.";

    public override bool IsPartOfAll => false;

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var entries = environment.Size(300_000, 100_000);
        var store = environment.Store;
        _template = await Drain.CreateTemplateAsync(store, entries);
        return
        [
            Case(Default, null, null),
            .. new[] { 250, 500, 1_000, 2_000, 4_000, 8_000 }.Select(prefetch => Case($"prefetch {prefetch:N0}", null, prefetch)),
            .. new[] { 5, 50, 200 }.Select(concurrency => Case($"concurrency {concurrency}", concurrency, null)),
        ];

        BenchmarkCase Case(string title, int? concurrency, int? prefetch) => new(
            title,
            async () =>
            {
                await using var database = await store.CopyAsync(_template);
                return (await Drain.WorkAsync(store.Name, database, entries, 1, concurrency, prefetch: prefetch)).Figures();
            },
            title == Default ? null : Default);
    }

    public override ValueTask CleanUpAsync() => _template?.DisposeAsync() ?? ValueTask.CompletedTask;
}
