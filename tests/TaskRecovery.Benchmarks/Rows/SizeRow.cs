using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>Whether it gets slower with what is stored.</summary>
internal sealed class SizeRow : BenchmarkRow
{
    private const string Small = "backlog of 10 thousand";

    private readonly Dictionary<string, IBenchmarkDatabase> _databases = new(StringComparer.Ordinal);

    public override string Name => "size";

    public override string Title => "Claim and finish by size";

    public override string Text
        => "Time to claim and finish an entry through the store, in batches of 1,000 from one claimer: the median of nine times 10,000"
        + " entries, beside different amounts of other stored entries. The floor of each case is the small backlog.";

    public override async Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment)
    {
        var (store, large, huge) = (environment.Store, environment.Size(1_000_000, 100_000), environment.Size(10_000_000, 500_000));
        var cases = new List<BenchmarkCase>();
        await AddAsync(Small, 10_000);
        await AddAsync($"backlog of {Words(large)}", large);
        await AddAsync($"backlog of {Words(huge)}", huge);
        await AddAsync($"{Words(huge)} ended entries", 10_000, new FillSpec(BenchmarkQueues.Measured, huge) { Ended = true });
        await AddAsync($"{Words(large)} scheduled for later", 10_000, new FillSpec(BenchmarkQueues.Measured, large) { Later = true });
        await AddAsync(
            $"{Words(large)} of an unknown kind at the front", 10_000, new FillSpec(BenchmarkQueues.Measured, large) { Kind = "unknown" });
        await AddAsync("100 queues", 10_000, [.. Enumerable.Range(0, 100).Select(number => new FillSpec($"other-{number}", large / 100))]);
        return cases;

        async Task AddAsync(string title, int backlog, params FillSpec[] others)
        {
            var database = _databases[title] = await store.CreateAsync();
            foreach (var other in others)
            {
                await database.FillAsync(other);
            }

            // What is measured is added to it each time, and taken from its front.
            await database.FillAsync(new FillSpec(BenchmarkQueues.Measured, backlog > 10_000 ? backlog : 0));
            await database.SettleAsync();
            cases.Add(new BenchmarkCase(title, () => MeasureAsync(store.Name, database), title == Small ? null : Small));
        }
    }

    public override async ValueTask CleanUpAsync()
    {
        foreach (var database in _databases.Values)
        {
            await database.DisposeAsync();
        }
    }

    private static async Task<Figure[]> MeasureAsync(string store, IBenchmarkDatabase database)
    {
        await using var child = await ChildHandle.StartAsync(new ChildSpec
        {
            Role = "refill",
            Store = store,
            ConnectionString = database.ConnectionString,
            Batch = 1_000,
            ThroughStore = true,
            Count = 10_000,
        });
        await child.GoAsync();
        var stats = await child.FinishedAsync();
        return [new("an entry", stats.Seconds * 1e6 / stats.Count, "us"), new("size", (await database.SizeAsync()).Bytes / 1e9, "GB")];
    }

    private static string Words(int count) => count % 1_000_000 == 0 ? $"{count / 1_000_000} million" : $"{count / 1_000} thousand";
}
