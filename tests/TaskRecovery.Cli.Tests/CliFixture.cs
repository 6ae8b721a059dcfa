using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Cli.Commands;
using TaskRecovery.Cli.Output;
using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Tests;

/// <summary>A database, the tool over it in this process, and the library over it to prepare what the tool shows.</summary>
internal sealed class CliFixture : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("taskrecovery-cli-").FullName;
    private readonly string? _server;

    /// <summary>Uses a new SQLite file, or the PostgreSQL database of a connection string.</summary>
    public CliFixture(string? server = null)
    {
        _server = server;
        Variables = new Dictionary<string, string>(StringComparer.Ordinal) { ["TASKRECOVERY_CONNECTION"] = ConnectionString };
    }

    /// <summary>A folder for files, which is removed with the fixture.</summary>
    public string Folder => _folder;

    /// <summary>The file of SQLite.</summary>
    public string File => Path.Combine(_folder, "tasks.db");

    public string ConnectionString => _server ?? $"Data Source={File}";

    /// <summary>The clock of the tool's time limit.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>The environment of the tool.</summary>
    public Dictionary<string, string> Variables { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Runs the tool where there is no terminal.</summary>
    public Task<CliResult> RunAsync(params string[] args) => RunAsync(args, answer: null);

    /// <summary>Runs the tool, with a terminal to ask if there is an answer.</summary>
    public async Task<CliResult> RunAsync(
        string[] args,
        string? answer,
        bool isRich = false,
        CancellationToken? cancellationToken = null,
        StringWriter? error = null,
        StringWriter? output = null)
    {
        output ??= new StringWriter { NewLine = "\n" };
        error ??= new StringWriter { NewLine = "\n" };
        using var input = new StringReader(answer ?? "");
        var terminal = new Terminal
        {
            Out = output,
            Error = error,
            In = input,
            CanAsk = answer is not null,
            IsRich = isRich,
            Time = Time,
            Variable = name => Variables.GetValueOrDefault(name),
        };
        var code = await CommandLine.RunAsync(args, terminal, cancellationToken ?? Cancellation);
        return new CliResult(code, output.ToString(), error.ToString());
    }

    /// <summary>Creates the tables with the tool.</summary>
    public async Task<CliFixture> MigratedAsync()
    {
        Assert.Equal(0, (await RunAsync("migrate", "--yes")).ExitCode);
        return this;
    }

    /// <summary>Stores waiting entries.</summary>
    public async Task<IReadOnlyList<long>> EnqueueAsync(int count, EnqueueOptions? options = null)
    {
        await using var services = Services();
        var stored = await services.GetRequiredService<IJobQueue>().EnqueueManyAsync(
            Enumerable.Range(0, count).Select(page => EnqueueRequest.Create(new Render(page), options)), cancellationToken: Cancellation);
        return [.. stored.Select(one => one.Id)];
    }

    /// <summary>Stores a job that runs every hour.</summary>
    public async Task<Job> CreateJobAsync(string name)
    {
        await using var services = Services();
        return await services.GetRequiredService<IJobService>()
            .CreateOrUpdateAsync(new JobDefinition(name, Schedule.Every(TimeSpan.FromHours(1))), new Render(0), Cancellation);
    }

    /// <summary>Starts an operation that cancels everything, and carries out none of its steps.</summary>
    public async Task StartOperationAsync()
    {
        await using var services = Services();
        var operate = services.GetRequiredService<IQueueOperator>();
        var audit = new AuditInfo("anna");
        var preview = await operate.PreviewAsync(
            new BulkRequest { Action = BulkAction.Cancel, Query = new EntryQuery() }, audit, Cancellation);
        await operate.StartAsync(preview.OperationId, audit, Cancellation);
    }

    /// <summary>Claims all waiting entries for a node that is declared dead then.</summary>
    public async Task ClaimAndDieAsync(string name)
    {
        await using var services = Services();
        var store = services.GetRequiredService<IQueueStore>();
        await store.PrepareAsync(Cancellation);
        var (dead, judge) = (Guid.NewGuid(), Guid.NewGuid());
        using var session = store.OpenNodeSession();
        session.Register(Identity(dead, name));
        session.SendHeartbeat(dead, holdsLock: false);
        var claim = await store.CreateClaimer(dead, "default", ["render"]).ClaimAsync(100, new SuspectAllowance(3, 100, 100), Cancellation);
        using var watching = store.OpenNodeSession();
        watching.Register(Identity(judge, $"judge of {name}"));
        var peers = watching.SendHeartbeat(judge, holdsLock: false).Peers;

        Assert.NotEmpty(claim.Entries);
        Assert.Equal([dead], watching.MarkDead([.. peers.Where(peer => peer.NodeId == dead)]));
        watching.Leave(judge);
    }

    /// <summary>Registers a node that sends no further heartbeat.</summary>
    /// <param name="name">The name of the node.</param>
    /// <param name="version">The version of its library.</param>
    /// <param name="queue">The queue that it serves; <see langword="null"/> if it serves none.</param>
    /// <param name="kind">The kind that it can run; <see langword="null"/> if it can run none.</param>
    public async Task<IDisposable> JoinAsync(string name, string version, string? queue = null, string? kind = null)
    {
        var (queues, kinds) = (queue is null ? "" : $"\"{queue}\":1", kind is null ? "" : $"\"{kind}\"");
        var services = Services();
        var store = services.GetRequiredService<IQueueStore>();
        await store.PrepareAsync(Cancellation);
        var session = store.OpenNodeSession();

        // The node is silent after three such intervals.
        var info = $$"""{"library":"{{version}}","heartbeat_ms":600000,"queues":{{{queues}}},"kinds":[{{kinds}}]}""";
        session.Register(Identity(Guid.NewGuid(), name) with { Info = info });
        return new Joined(session, services);
    }

    /// <summary>Makes every heartbeat old.</summary>
    public async Task SilenceNodesAsync()
    {
        await Database.ExecuteAsync(ConnectionString, "update taskrecovery_nodes set beat_at = 1000000");
        foreach (var file in Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories).Where(file
            => !file.StartsWith(File, StringComparison.Ordinal) || file.Contains("beat", StringComparison.Ordinal)))
        {
            System.IO.File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch.AddYears(1));
        }
    }

    /// <summary>Runs an entry whose handler fails, in a host that stops afterwards.</summary>
    public async Task<long> RunFailingAsync(string error)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(error);
        Use(builder.Services.AddTaskRecovery(options => options.NodeName = "worker")).AddWorker<Render, FailingRenderer>(
            "render", worker => worker.KeepRunLog = true);
        using var host = builder.Build();
        await host.StartAsync(Cancellation);
        var (id, _) = await host.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new Render(1), cancellationToken: Cancellation);
        await UntilEndedAsync(host, id);
        var monitor = host.Services.GetRequiredService<IQueueMonitor>();
        while ((await monitor.ListLogAsync(id, Cancellation)).Count == 0)
        {
            await Task.Delay(10, Cancellation);
        }

        await host.StopAsync(Cancellation);
        return id;
    }

    /// <summary>Uses the library's services.</summary>
    public async Task<T> UseAsync<T>(Func<IServiceProvider, Task<T>> use)
    {
        await using var services = Services();
        return await use(services);
    }

    /// <summary>Runs one entry of a kind in a host that stops afterwards.</summary>
    /// <returns>What is selected of its arguments.</returns>
    public async Task<TResult> RunOneAsync<TArgs, TResult>(string kind, string queue, Func<TArgs, TResult> select)
        where TArgs : notnull
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var ran = new TaskCompletionSource<WorkContext<TArgs>>(TaskCreationOptions.RunContinuationsAsynchronously);
        builder.Services.AddSingleton(ran);
        Use(builder.Services.AddTaskRecovery(options => options.Queues[queue] = new QueueOptions()))
            .AddWorker<TArgs, Catcher<TArgs>>(kind);
        using var host = builder.Build();
        await host.StartAsync(Cancellation);
        var run = await ran.Task.WaitAsync(Cancellation);
        await UntilEndedAsync(host, run.EntryId);
        await host.StopAsync(Cancellation);
        return select(run.Args);
    }

    // A stop has limits: on a machine that stands still it may store nothing.
    private static async Task UntilEndedAsync(IHost host, long entryId)
    {
        var queue = host.Services.GetRequiredService<IJobQueue>();
        while ((await queue.FindAsync(entryId, Cancellation))!.EndedAt is null)
        {
            await Task.Delay(10, Cancellation);
        }
    }

    private static NodeIdentity Identity(Guid id, string name) => new()
    {
        Id = id,
        Name = name,
        NameIsExplicit = true,
        Machine = "elsewhere",
        ProcessId = 1,
        ProcessStarted = 1,
    };

    private ServiceProvider Services()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        Use(services.AddTaskRecovery()).AddKind<Render>("render");
        var provider = services.BuildServiceProvider();
        if (_server is null)
        {
            // As long as a machine may stand still.
            var database = provider.GetRequiredService<Sqlite.SqliteDatabase>();
            (database.HeartbeatWait, database.VerdictWait) = (TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
        }

        return provider;
    }

    private TaskRecoveryBuilder Use(TaskRecoveryBuilder builder)
    {
        // By default, a node that a busy machine stops for more than two seconds loses what it runs.
        builder.Services.Configure<TaskRecoveryOptions>(
            static options => (options.Node.Lease, options.Node.Grace) = (TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(2)));
        return _server is null ? builder.UseSqlite(ConnectionString) : builder.UsePostgreSql(_server);
    }

    private sealed record Joined(INodeSession Session, ServiceProvider Services) : IDisposable
    {
        public void Dispose()
        {
            Session.Dispose();
            Services.Dispose();
        }
    }

    [JobKind("render")]
    public sealed record Render(int Page);

    public sealed class Catcher<TArgs>(TaskCompletionSource<WorkContext<TArgs>> ran) : IJobWorker<TArgs>
        where TArgs : notnull
    {
        public Task WorkAsync(WorkContext<TArgs> context, CancellationToken cancellationToken)
        {
            ran.TrySetResult(context);
            return Task.CompletedTask;
        }
    }

    public sealed class FailingRenderer(ILogger<FailingRenderer> logger, string error) : IJobWorker<Render>
    {
        public async Task WorkAsync(WorkContext<Render> context, CancellationToken cancellationToken)
        {
            logger.LogInformation("rendering page 1");
            await context.StepAsync("layout", _ => Task.FromResult(7), cancellationToken);
            context.Fail(error);
        }
    }
}
