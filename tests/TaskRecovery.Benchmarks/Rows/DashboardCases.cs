using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>What the dashboard takes over HTTP, in a process of its own on this machine: times in that process, from the request to the end
/// of the answer.</summary>
internal sealed class DashboardCases(IBenchmarkStore store, IBenchmarkDatabase history, BenchmarkEnvironment environment)
{
    private const int WarmUps = 20;

    // Viewers share the answer to a question for two seconds. What is measured is not shared.
    private static readonly TimeSpan Unshared = TimeSpan.FromSeconds(2.1);

    /// <summary>Pages with a list of entries: each condition, as the address has it.</summary>
    private static readonly (string Name, string Path)[] Lists =
    [
        ("all", "entries"),
        ("waiting", "entries?state=waiting"),
        ("completed", "entries?state=completed"),
        ("failed", "entries?state=failed"),
        ("running", "entries?state=running"),
        ("queue", "entries?queue=history"),
        ("rare kind", "entries?kind=rare"),
        ("kinds", "entries?kind=kind-*"),
        ("reason", "entries?reason=crash_loop"),
        ("node", "entries?node=node-1"),
        ("no such node", "entries?node=nobody"),
        ("unique key", "entries?key=none"),
        ("metadata", "entries?meta=customer%3D70"),
        ("no such metadata", "entries?meta=customer%3Dnone"),
        ("text", "entries?text=missing"),
        ("groups", "entries?state=failed&group=kind"),
    ];

    /// <summary>What viewers look at: half of them at the overview.</summary>
    public static IReadOnlyList<string> Pages { get; } =
    [
        .. Enumerable.Repeat("", Audience.Viewers / 2),
        "queues", "entries", "entries?state=failed", "entries?state=running", "kinds", "jobs", "tasks", "nodes", "events", "operations",
    ];

    /// <summary>The overview for one viewer: every answer is read from the store. Of many viewers, most get an answer that is
    /// known.</summary>
    public async Task<Figure[]> OverviewAloneAsync()
    {
        await using var audience = await StartAsync();
        await WarmUpAsync(audience, "");
        for (var time = 0; time < environment.Size(40, 10); time++)
        {
            await Task.Delay(Unshared);
            await audience.Viewer("reader", "").AskAsync();
        }

        return Times(await audience.Process.TimesAsync());
    }

    /// <summary>The overview for many viewers, what they cost the store, and what the store does when they have left.</summary>
    public async Task<Figure[]> OverviewAsync()
    {
        var watched = TimeSpan.FromSeconds(environment.Size(60, 20));
        await using var audience = await StartAsync();
        await WarmUpAsync(audience, "");
        (int Status, double Milliseconds)[] times = [];
        var cost = await StatementCost.OfAsync(history, async () =>
        {
            audience.Open([.. Enumerable.Repeat("", Audience.Viewers)]);
            await Task.Delay(watched);
            times = await audience.Process.TimesAsync();
            await audience.CloseAsync();
        });
        await Task.Delay(Unshared);
        var alone = await StatementCost.OfAsync(history, () => Task.Delay(watched / 4));
        return
        [
            .. Times(times),
            new("requests", times.Length / watched.TotalSeconds, "/s"),
            new("unchanged", 100.0 * times.Count(static one => one.Status == 304) / times.Length, "%"),
            new("statements", cost.Statements / watched.TotalSeconds, "/s"),
            new("in the store", cost.Milliseconds / watched.TotalSeconds, "ms/s"),
            new("statements without viewers", alone.Statements, ""),
        ];
    }

    /// <summary>Each page with a list.</summary>
    public async Task<Figure[]> ListsAsync()
    {
        await using var audience = await StartAsync();
        var rounds = new List<double[]>();
        for (var round = 0; round <= environment.Size(10, 4); round++)
        {
            // Each page has counts beside its list, which all pages share.
            var next = Task.Delay(Unshared);
            await audience.Viewer("reader", "queues").AskAsync();
            await audience.Process.TimesAsync();
            var times = new double[Lists.Length];
            for (var list = 0; list < Lists.Length; list++)
            {
                await audience.Viewer("reader", Lists[list].Path).AskAsync();
                times[list] = (await audience.Process.TimesAsync()).Single().Milliseconds;
            }

            // The first round is for the runtime.
            if (round > 0)
            {
                rounds.Add(times);
            }

            await next;
        }

        return [.. Lists.Select((list, number) => new Figure(list.Name, Latency.Median(rounds.Select(times => times[number])), "ms"))];
    }

    /// <summary>The page of one entry after the other.</summary>
    public async Task<Figure[]> EntriesAsync()
    {
        await using var audience = await StartAsync();
        var number = 0L;
        for (var entry = 0; entry < WarmUps; entry++)
        {
            await AskAsync();
        }

        await audience.Process.TimesAsync();
        for (var entry = 0; entry < environment.Size(500, 200); entry++)
        {
            await AskAsync();
        }

        return Times(await audience.Process.TimesAsync());

        Task AskAsync() => audience.Viewer("reader", $"entries/{1 + ((number += 7_919) % environment.History)}").AskAsync();
    }

    /// <summary>Asks for each page that viewers look at, until the runtime has compiled what it will.</summary>
    public static async Task WarmUpAsync(Audience audience)
    {
        foreach (var page in Pages.Distinct(StringComparer.Ordinal))
        {
            await WarmUpAsync(audience, page);
        }
    }

    private static async Task WarmUpAsync(Audience audience, string page)
    {
        for (var time = 0; time < WarmUps; time++)
        {
            await audience.Viewer("warm-up", page).AskAsync();
        }

        await audience.Process.TimesAsync();
    }

    private Task<Audience> StartAsync() => Audience.StartAsync(store.Name, history.ConnectionString);

    private static Figure[] Times((int Status, double Milliseconds)[] times)
    {
        var sorted = times.Select(static one => one.Milliseconds).Order().ToArray();
        return
        [
            new("p95", Latency.Percentile(sorted, 0.95), "ms"),
            new("p50", Latency.Percentile(sorted, 0.5), "ms"),
            new("max", Latency.Percentile(sorted, 1), "ms"),
        ];
    }
}
