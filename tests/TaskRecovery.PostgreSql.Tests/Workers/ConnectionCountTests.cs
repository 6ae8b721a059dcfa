using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Workers;

/// <summary>How many connections processes have open.</summary>
public sealed class ConnectionCountTests
{
    /// <summary>The environment variable with the number of nodes of the fleet. docs/deployment.md is about 60, which take two
    /// minutes.</summary>
    private const string FleetVariable = "TASKRECOVERY_FLEET_NODES";

    private const int DefaultFleet = 20;
    private const int EntriesPerNode = 10;

    private static int Fleet { get; } =
        int.TryParse(Environment.GetEnvironmentVariable(FleetVariable), CultureInfo.InvariantCulture, out var nodes) ? nodes : DefaultFleet;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_has_two_connections_while_idle_and_at_most_five_with_a_busy_queue()
    {
        await using var database = await MigratedDatabase.CreateAsync("count");
        var shared = new Shared();
        using var node = Build(database.ConnectionString + ";Connection Idle Lifetime=2;Connection Pruning Interval=1", shared);
        node.Services.GetRequiredService<PostgreSqlDatabase>().PatienceForPool = TimeSpan.FromMinutes(1);
        await node.StartAsync(Cancellation);

        // A statement of a busy machine may take so long that another one uses the pool: that connection is closed two seconds later. A
        // node that kept it would have more at every sample.
        await UntilAsync(async () => await CountAsync(database) <= 2);
        var (samples, few) = (0, 0);
        for (; samples < 2_000 && few < 100; samples++)
        {
            few += await CountAsync(database) <= 2 ? 1 : 0;
            await Task.Delay(50, Cancellation);
        }

        Assert.True(few == 100, $"The node had two connections at {few} of {samples} samples.");

        var queue = node.Services.GetRequiredService<IJobQueue>();
        var enqueuing = Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++)
            {
                await queue.EnqueueAsync(new Work(), cancellationToken: Cancellation);
            }
        })));
        List<long> counts = [];
        while (shared.Done < 6_400)
        {
            counts.Add(await CountAsync(database));
            await Task.Delay(10, Cancellation);
        }

        // Without the limit of the pool, most of these 32 callers would have a connection in most of the samples.
        await enqueuing;
        var within = counts.Count(static count => count <= 5);
        Assert.True(counts.Max() >= 3);
        Assert.True(within >= 0.95 * counts.Count, $"The node had at most five connections at {within} of {counts.Count} samples only.");
        await node.StopAsync(Cancellation);
    }

    [Fact]
    public async Task A_fleet_starts_works_and_restarts_at_a_server_of_ten_connections_for_three_nodes()
    {
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions
        {
            Controlled = true,
            DriverPools = true,
            MaxConnections = Fleet * 10 / 3,
        });
        await using var database = await server.CreateDatabaseAsync("count");
        var shared = new Shared();
        using (var first = Build(database.ConnectionString, shared, works: false))
        {
            await first.StartAsync(Cancellation);
        }

        var nodes = await StartAsync();
        await WorkAsync(Fleet * EntriesPerNode);
        await Task.WhenAll(nodes.Select(async node =>
        {
            await node.StopAsync(Cancellation);
            node.Dispose();
        }));
        nodes = await StartAsync();
        await WorkAsync(Fleet * EntriesPerNode * 2);
        await Task.WhenAll(nodes.Select(node => node.StopAsync(Cancellation)));
        Array.ForEach(nodes, static node => node.Dispose());

        async Task<IHost[]> StartAsync()
        {
            IHost[] hosts = [.. Enumerable.Range(0, Fleet).Select(_ => Build(database.ConnectionString, shared))];
            await Task.WhenAll(hosts.Select(host => Task.Run(() => host.StartAsync(Cancellation))));
            return hosts;
        }

        async Task WorkAsync(int until)
        {
            var queue = nodes[0].Services.GetRequiredService<IJobQueue>();
            await Parallel.ForAsync(
                0,
                Fleet * EntriesPerNode,
                new ParallelOptions { MaxDegreeOfParallelism = 20, CancellationToken = Cancellation },
                (_, token) => EnqueueAsync(queue, token));
            await UntilAsync(() => Task.FromResult(shared.Done >= until));
        }
    }

    // The server of the fleet may have no connection left for longer than an enqueue waits.
    private static async ValueTask EnqueueAsync(IJobQueue queue, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await queue.EnqueueAsync(new Work(), cancellationToken: cancellationToken);
                return;
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(50, cancellationToken);
            }
        }
    }

    private static IHost Build(string connectionString, Shared shared, bool works = true)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddPatience().AddSingleton(shared);
        var recovery = builder.Services.AddTaskRecovery().UsePostgreSql(connectionString);
        if (works)
        {
            recovery.AddWorker<Work, Worker>();
        }

        return builder.Build();
    }

    private static async Task<long> CountAsync(PostgresDatabase database)
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString + ";Pooling=false;Application Name=watch");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(
            "select count(*) from pg_stat_activity where datname = current_database() and application_name like 'taskrecovery %'",
            connection);
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var since = Stopwatch.GetTimestamp(); !await condition(); await Task.Delay(50, Cancellation))
        {
            Assert.InRange(Stopwatch.GetElapsedTime(since).TotalSeconds, 0, 180);
        }
    }

    [JobKind("count-work")]
    private sealed record Work;

    private sealed class Shared
    {
        private int _done;

        public int Done => Volatile.Read(ref _done);

        public void Count() => Interlocked.Increment(ref _done);
    }

    private sealed class Worker(Shared shared) : IJobWorker<Work>
    {
        public async Task WorkAsync(WorkContext<Work> context, CancellationToken cancellationToken)
        {
            await context.StepAsync("step", static _ => Task.FromResult(1), cancellationToken);
            shared.Count();
        }
    }
}
