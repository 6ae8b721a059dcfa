using Hangfire;
using Quartz;
using TaskRecovery.Cli.Tests.Import;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Cli.Tests.Reference;

/// <summary>What each command writes with <c>--json</c> is what its schema says, on both stores.</summary>
public abstract class JsonTests(SeededDatabase database)
{
    private const string Mailer = "TaskRecovery.Cli.Tests.Import.Mailer";

    public static TheoryData<string, string[]> Calls => new()
    {
        { "status", [] },
        { "list", [] },
        { "show", ["1", "--log"] },
        { "jobs", [] },
        { "tasks", [] },
        { "nodes", [] },
        { "queues", [] },
        { "kinds", [] },
        { "events", [] },
        { "retry", ["2", "--yes"] },
        { "retry", ["--all", "--dry-run"] },
        { "cancel", ["2", "3", "--yes"] },
        { "cancel", ["2", "--dry-run"] },
        { "pause", ["job", "sweep", "--yes"] },
        { "resume", ["queue", "mail", "--yes"] },
        { "job run", ["sweep", "--dry-run"] },
        { "job backfill", ["report", "--from", "3h", "--dry-run"] },
        { "job backfill", ["report", "--from", "3h", "--yes"] },
        { "job delete", ["sweep", "--dry-run"] },
        { "erase", ["2", "--yes"] },
        { "ops", [] },
        { "ops list", [] },
        { "ops show", ["1", "--entries"] },
        { "ops stop", ["2", "--dry-run"] },
        { "ops continue", ["2", "--dry-run"] },
        { "undo", ["1", "--yes"] },
        { "recover", ["--yes"] },
        { "migrate", ["--check"] },
        { "check", [] },
        { "doctor", [] },
        { "dashboard", [] },
        { "import hangfire", ["--from", "HANGFIRE"] },
        { "import hangfire", ["--from", "HANGFIRE", "--map", $"{Mailer}.Digest=digest", "--yes"] },
        { "import quartz", ["--from", "QUARTZ"] },
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Json_is_as_its_schema_says(string command, string[] args)
    {
        // The dashboard ends when it is interrupted.
        using var interrupt = new CancellationTokenSource();
        await using var output = new WatchedWriter();
        output.On("\"link\"", interrupt.Cancel);
        var result = await database.Cli.RunAsync(
            [.. command.Split(' '), .. args, "--json"], answer: null, cancellationToken: interrupt.Token, output: output);

        Assert.True(result.ExitCode is 0 or 1 or 5 or 130, result.Error);
        Assert.Empty(SchemaCheck.Of(CliSchema.Document, CliSchema.Document["properties"]![command]!, result.Json()));
    }

    [Fact]
    public void Every_command_is_called()
        // BackupTests call the one that only SQLite has.
        => Assert.Equal(["backup"], CliSchema.Names.Except(Calls.Select(static call => call.Data.Item1), StringComparer.Ordinal));
}

/// <summary>A database in which something has happened.</summary>
public abstract class SeededDatabase : IAsyncLifetime
{
    private OldHangfire? _hangfire;
    private OldQuartz? _quartz;

    internal CliFixture Cli { get; private set; } = null!;

    private protected abstract Task<CliFixture> CreateAsync();

    public async ValueTask InitializeAsync()
    {
        Cli = await CreateAsync();
        await Cli.MigratedAsync();
        await Cli.RunFailingAsync("no paper");
        await Cli.EnqueueAsync(3, new EnqueueOptions
        {
            UniqueKey = null,
            Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["tenant"] = "acme" },
        });
        await Cli.CreateJobAsync("sweep");
        await Cli.CreateJobAsync("report");
        await Cli.RunAsync("pause", "queue", "mail", "--new", "--yes", "--reason", "upgrade");
        await Cli.RunAsync("cancel", "--metadata", "tenant=acme", "--yes");
        await Cli.StartOperationAsync();
        await CreateOldSystemsAsync();
    }

    public virtual async ValueTask DisposeAsync()
    {
        Cli.Dispose();
        await _hangfire!.DisposeAsync();
        await _quartz!.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private async Task CreateOldSystemsAsync()
    {
        _hangfire = await OldHangfire.CreateAsync();
        _hangfire.Client.Enqueue<Mailer>(mailer => mailer.Digest("a"));
        _hangfire.Client.Enqueue<Mailer>(mailer => mailer.Unknown());
        _quartz = await OldQuartz.CreateAsync();
        await _quartz.ScheduleAsync(static async scheduler => await scheduler.ScheduleJob(
            JobBuilder.Create<SyncJob>().Build(), TriggerBuilder.Create().WithCronSchedule("0 0 6 * * ?").Build(),
            cancellationToken: TestContext.Current.CancellationToken));
        (Cli.Variables["HANGFIRE"], Cli.Variables["QUARTZ"]) = (_hangfire.ConnectionString, _quartz.ConnectionString);
    }
}

public sealed class SqliteDatabase : SeededDatabase
{
    private protected override Task<CliFixture> CreateAsync() => Task.FromResult(new CliFixture());
}

public sealed class PostgreSqlDatabase : SeededDatabase
{
    private PostgresDatabase? _database;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _database!.DisposeAsync();
    }

    private protected override async Task<CliFixture> CreateAsync()
    {
        _database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync("cli");
        return new CliFixture(_database.ConnectionString);
    }
}

public sealed class SqliteJsonTests(SqliteDatabase database) : JsonTests(database), IClassFixture<SqliteDatabase>;

public sealed class PostgreSqlJsonTests(PostgreSqlDatabase database) : JsonTests(database), IClassFixture<PostgreSqlDatabase>;
