using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TaskRecovery.Dashboard.Tests.Support;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Dashboard.Tests.Stores;

/// <summary>What the pages show of a process that was killed: a real one, on PostgreSQL.</summary>
public sealed class KilledNodeTests : IAsyncLifetime
{
    private const string Node = "worker";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly RealStore _store = new(isPostgres: true);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("taskrecovery-killed-");
    private readonly List<ChildProcess> _nodes = [];
    private WebApplication _app = null!;
    private HttpClient _client = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = RealApp.NewBuilder();
        (await _store.UseAsync(builder.Services.AddTaskRecovery(static options => options.ServeDefaultQueue = false)))
            .AddKind<StepsProbe>();
        builder.Services.AddTaskRecoveryDashboard();
        _app = builder.Build();
        _app.MapTaskRecovery("/jobs").AllowAnonymous();
        await _app.StartAsync(Cancellation);
        _client = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        _client.Dispose();
        await _app.DisposeAsync();
        await _store.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_life_of_an_entry_shows_its_claim_how_the_death_was_seen_and_the_run_that_continues()
    {
        var killed = await StartNodeAsync();
        var (id, _) = await _app.Services.GetRequiredService<IJobQueue>().EnqueueAsync(
            new StepsProbe(Steps: 100_000, HoldMs: 500), cancellationToken: Cancellation);
        var before = await UntilAsync(id, static life => life is { Claim: not null, Steps.Count: > 0 });

        // The second process has the name of the first one, so that it takes over its work without a wait for the grace period.
        await killed.KillAsync();
        await UntilItsLockIsFreeAsync();
        await StartNodeAsync();
        var after = await UntilAsync(id, life => life.Claim is { } claim && claim.Fence > before.Claim!.Fence
            && life.Steps.Any(step => step.Fence == claim.Fence));

        var page = await _client.GetStringAsync($"jobs/entries/{id}", Cancellation);
        string[] expected =
        [
            $"Claimed by <bdi>{Node}</bdi> under fence {before.Claim!.Fence}<",
            $"stored under fence {before.Claim.Fence},",
            $"{Node} died after ",
            $"its process no longer existed, seen by <bdi>{Node}</bdi>",
            "Recovered: back in the queue",
            $"Claimed by <bdi>{Node}</bdi> under fence {after.Claim!.Fence}<",
            $"stored under fence {after.Claim.Fence},",
        ];
        var at = 0;
        foreach (var text in expected)
        {
            var found = page.IndexOf(text, at, StringComparison.Ordinal);
            Assert.True(found >= 0, $"The page does not have '{text}' after character {at}:\n{page}");
            at = found + text.Length;
        }

        var nodes = await _client.GetStringAsync("jobs/nodes", Cancellation);
        Assert.Contains("its process no longer existed", nodes, StringComparison.Ordinal);
        var events = await _client.GetStringAsync("jobs/events", Cancellation);
        Assert.Contains("was declared dead", events, StringComparison.Ordinal);
    }

    // The server notices in its own time that the process is gone. No other node is in this database.
    private async Task UntilItsLockIsFreeAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(Patience);
        await using var source = Npgsql.NpgsqlDataSource.Create(_store.ConnectionString!);
        await using var command = source.CreateCommand("select count(*) from pg_locks where locktype = 'advisory' "
            + "and database = (select oid from pg_database where datname = current_database())");
        while ((long)(await command.ExecuteScalarAsync(patience.Token))! > 0)
        {
            await Task.Delay(50, patience.Token);
        }
    }

    private async Task<EntryLife> UntilAsync(long id, Func<EntryLife, bool> condition)
    {
        var monitor = _app.Services.GetRequiredService<IQueueMonitor>();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            try
            {
                if (await monitor.GetLifeAsync(id, scope: null, patience.Token) is { } life && condition(life))
                {
                    return life;
                }
            }
            catch (TimeoutException)
            {
                // The machine is busy: ask again.
            }

            await timer.WaitForNextTickAsync(patience.Token);
        }
    }

    // The crash tests' host: it has the library's sources compiled in, so it is started, not referenced.
    private async Task<ChildProcess> StartNodeAsync()
    {
        var host = Path.Combine(AppContext.BaseDirectory.Replace(
            "TaskRecovery.Dashboard.Tests", "TaskRecovery.Crash.Host", StringComparison.Ordinal), "TaskRecovery.Crash.Host.dll");
        var settings = JsonSerializer.Serialize(new
        {
            Postgres = _store.ConnectionString,
            NodeName = Node,
            Concurrency = 1,
            Lease = TimeSpan.FromMinutes(3),
            Grace = TimeSpan.FromMinutes(2),
            JournalFile = Path.Combine(_folder.FullName, $"{_nodes.Count}.journal"),
        });
        var node = ChildProcess.StartDotnet(host, [settings]);
        _nodes.Add(node);
        await node.WaitForLineAsync("ready");
        return node;
    }

    /// <summary>As the crash tests' host has it.</summary>
    [JobKind("probe.steps")]
    private sealed record StepsProbe(int Steps, int HoldMs);
}
