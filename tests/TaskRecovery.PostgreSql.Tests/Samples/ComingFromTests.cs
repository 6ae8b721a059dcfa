using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Samples;

/// <summary>The code of docs/coming-from: the first tests compare the pages with this folder and with that of the dashboard's samples, and
/// the others run it.</summary>
public sealed class ComingFromTests : IAsyncLifetime
{
    // What is not code of this library by itself: names of types, options and methods in a sentence.
    private static readonly string[] Statements = [".Add", "app.", "await queue.", "jobs.", "new ", "queue.", "Schedule.", "services."];

    private readonly Ran _ran = new();
    private PostgresDatabase? _database;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static string Code => PageExamples.CodeOf("tests/TaskRecovery.PostgreSql.Tests/Samples", "ComingFrom*.cs")
        + PageExamples.CodeOf("tests/TaskRecovery.Dashboard.Tests/Samples", "ComingFrom*.cs");

    public async ValueTask InitializeAsync()
        => _database = await MigratedDatabase.CreateAsync("coming_from");

    public ValueTask DisposeAsync() => _database!.DisposeAsync();

    [Theory]
    [InlineData("hangfire.md", 2)]
    [InlineData("quartz.md", 1)]
    [InlineData("masstransit.md", 1)]
    [InlineData("own-table.md", 2)]
    public void Every_example_of_a_page_is_in_this_folder(string page, int count)
    {
        var (examples, code) = (PageExamples.Of($"coming-from/{page}"), Code);

        Assert.Equal(count, examples.Count);
        Assert.All(examples, example => Assert.Contains(PageExamples.Squeeze(example), code, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("hangfire.md", 14)]
    [InlineData("quartz.md", 10)]
    [InlineData("masstransit.md", 1)]
    [InlineData("own-table.md", 1)]
    [InlineData("tickerq-coravel.md", 4)]
    public void Every_call_in_the_tables_of_a_page_is_in_this_folder(string page, int count)
    {
        var code = Code;
        var calls = PageExamples.OfTables($"coming-from/{page}").Where(static call
            => Statements.Any(start => call.StartsWith(start, StringComparison.Ordinal)) && call.Contains('(', StringComparison.Ordinal)
                && !call.Contains("...", StringComparison.Ordinal)).ToList();

        Assert.True(calls.Count >= count, string.Join('\n', calls));
        Assert.All(calls, call => Assert.Contains(PageExamples.Squeeze(call), code, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_first_row_for_Hangfire_registers_all_that_sends_a_mail()
    {
        var connectionString = _database!.ConnectionString;
        using var host = Build(services
            => services.AddTaskRecovery().UsePostgreSql(connectionString).AddWorker<SendMail, SendMailWorker>());
        await host.StartAsync(Cancellation);

        await host.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new SendMail(5));

        Assert.Equal("mail 5", await _ran.NextAsync());
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Hangfire_mails_are_sent()
    {
        var (connectionString, delay, id) = (_database!.ConnectionString, TimeSpan.FromHours(1), 5);
        using var host = Build(services => services.AddTaskRecovery().UsePostgreSql(connectionString)
            .AddTaskHandler<Report, ReportHandler>()
            .AddCronJob("report", "0 6 * * *", new Report())
            .AddWorker<SendMail, SendMailWorker>(options => options.MaxAttempts = 6)
            .AddQueue("critical")
            .AddMiddleware<Audit>());
        await host.StartAsync(Cancellation);
        var queue = host.Services.GetRequiredService<IJobQueue>();

        await queue.EnqueueAsync(new SendMail(id));
        Assert.Equal("mail 5", await _ran.NextAsync());

        await queue.EnqueueAsync(new SendMail(6), new EnqueueOptions { Queue = "critical" });
        Assert.Equal("mail 6", await _ran.NextAsync());

        var later = await queue.EnqueueAsync(new SendMail(id), new EnqueueOptions { RunAfter = delay });
        Assert.True(await CancelAsync(queue, later.Id));
        Assert.Equal(OperatorResult.Done, await RetryAsync(queue, later.Id));
        Assert.Equal("mail 5", await _ran.NextAsync());

        using var enqueuer = Build(services => services.AddTaskRecovery().UsePostgreSql(connectionString)
            .AddKind<SendMail>(maxAttempts: 6));
        await enqueuer.StartAsync(Cancellation);
        var waiting = await enqueuer.Services.GetRequiredService<IJobQueue>().EnqueueAsync(
            new SendMail(7), new EnqueueOptions { RunAfter = delay }, Cancellation);
        Assert.Equal(6, (await queue.FindAsync(waiting.Id, Cancellation))!.MaxAttempts);
        await enqueuer.StopAsync(Cancellation);
        await host.StopAsync(Cancellation);

        static async Task<bool> CancelAsync(IJobQueue queue, long id) => await queue.CancelAsync(id);
        static async Task<OperatorResult> RetryAsync(IJobQueue queue, long id) => await queue.RetryAsync(id);
    }

    [Fact]
    public async Task Quartz_jobs_are_planned()
    {
        var connectionString = _database!.ConnectionString;
        using var host = Build(services =>
        {
            var builder = new { Services = services };
            builder.Services.AddTaskRecovery()
                .UsePostgreSql(connectionString)
                .AddTaskHandler<Report, ReportHandler>()
                .AddCronJob("report", "0 6 * * MON-FRI", new Report("daily"));
        });
        await host.StartAsync(Cancellation);
        var jobs = host.Services.GetRequiredService<IJobService>();

        var jobId = (await jobs.GetByNameAsync("report"))!.Id;
        await jobs.TriggerNowAsync(jobId);
        Assert.Equal("report daily", await _ran.NextAsync());
        var (reason, actor, until) = ("the supplier is down", "ann", DateTimeOffset.UtcNow.AddHours(1));
        await jobs.PauseAsync(jobId, reason, actor, until);

        Assert.Equal(actor, (await jobs.GetAsync(jobId))!.Pause?.Actor);
        await jobs.ResumeAsync(jobId);
        Assert.Null((await jobs.GetAsync(jobId))!.Pause);
        await jobs.DeleteAsync(jobId);
        Assert.Null(await jobs.GetAsync(jobId));
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Jobs_of_the_tables_are_declared()
    {
        using var host = Build(services => services.AddTaskRecovery().UsePostgreSql(_database!.ConnectionString)
            .AddTaskHandler<Report, ReportHandler>().AddTaskHandler<Sync, SyncHandler>().AddTaskHandler<Clean, CleanHandler>()
            .AddCronJob("report", "0 0 6 * * *", new Report())
            .AddIntervalJob("sync", TimeSpan.FromMinutes(5), new Sync()));
        using var other = Build(services => services.AddTaskRecovery().UsePostgreSql(_database!.ConnectionString)
            .AddTaskHandler<Sync, SyncHandler>().AddTaskHandler<Clean, CleanHandler>()
            .AddCronJob("clean", "0 3 * * *", new Clean())
            .AddIntervalJob("sync", TimeSpan.FromSeconds(30), new Sync()));
        using var third = Build(services => services.AddTaskRecovery().UsePostgreSql(_database!.ConnectionString)
            .AddTaskHandler<Clean, CleanHandler>()
            .AddCronJob("clean", "0 0 * * *", new Clean()));

        foreach (var one in (IHost[])[host, other, third])
        {
            await one.StartAsync(Cancellation);
            await one.StopAsync(Cancellation);
        }

        var zoned = Schedule.Cron("0 6 * * *", "Europe/Berlin");
        Assert.Equal("Europe/Berlin", zoned.TimeZone);
        var names = (await host.Services.GetRequiredService<IJobService>().ListAllAsync(cancellationToken: Cancellation))
            .Select(static job => job.Name);
        Assert.Equal(["clean", "report", "sync"], names);
    }

    [Fact]
    public async Task A_video_continues_where_it_was()
    {
        using var host = Build(services => services.AddTaskRecovery().UsePostgreSql(_database!.ConnectionString)
            .AddWorker<ConvertVideo, ConvertVideoWorker>());
        await host.StartAsync(Cancellation);
        await host.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new ConvertVideo("film", 3));

        Assert.Equal(["film 0", "film 1", "film 2"], [await _ran.NextAsync(), await _ran.NextAsync(), await _ran.NextAsync()]);
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Rows_of_a_table_are_moved_in_one_transaction()
    {
        await using var dataSource = NpgsqlDataSource.Create(_database!.ConnectionString);
        await using (var create = dataSource.CreateCommand(
            """
            create table jobs (id bigint generated always as identity, status text, file_id bigint, due_at timestamptz);
            insert into jobs (status, file_id, due_at) select s, 7, now() from unnest(array['new', 'running']) s
            """))
        {
            await create.ExecuteNonQueryAsync(Cancellation);
        }

        using var host = Build(services => services.AddTaskRecovery().UsePostgreSql(_database.ConnectionString)
            .AddWorker<Import, ImportWorker>());
        await host.StartAsync(Cancellation);
        var queue = host.Services.GetRequiredService<IJobQueue>();

        await MoveAsync(dataSource, queue, Cancellation);

        Assert.Equal("import 7", await _ran.NextAsync());
        await using var left = dataSource.CreateCommand("select string_agg(status, ' ') from jobs");
        Assert.Equal("running", await left.ExecuteScalarAsync(Cancellation));
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task All_rows_of_a_table_are_moved_also_those_without_a_time()
    {
        await using var dataSource = NpgsqlDataSource.Create(_database!.ConnectionString);
        await using (var create = dataSource.CreateCommand(
            """
            create table jobs (id bigint generated always as identity, status text, file_id bigint, due_at timestamptz);
            insert into jobs (status, file_id, due_at)
            select 'new', n, case when n = 1 then null else now() + interval '1 day' end from generate_series(1, 1001) n
            """))
        {
            await create.ExecuteNonQueryAsync(Cancellation);
        }

        using var host = Build(services => services.AddTaskRecovery().UsePostgreSql(_database.ConnectionString)
            .AddWorker<Import, ImportWorker>());
        await host.StartAsync(Cancellation);
        var queue = host.Services.GetRequiredService<IJobQueue>();

        await MoveAsync(dataSource, queue, Cancellation);

        Assert.Equal("import 1", await _ran.NextAsync());
        await using var left = dataSource.CreateCommand("select count(*) from jobs");
        Assert.Equal(0L, await left.ExecuteScalarAsync(Cancellation));
        await using var waiting = dataSource.CreateCommand("select count(*) from taskrecovery.waiting");
        Assert.Equal(1000L, await waiting.ExecuteScalarAsync(Cancellation));
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task An_entry_is_enqueued_in_the_callers_transaction()
    {
        using var host = Build(services => services.AddTaskRecovery().UsePostgreSql(_database!.ConnectionString)
            .AddWorker<SendMail, SendMailWorker>());
        await host.StartAsync(Cancellation);
        var (queue, args, time) = (host.Services.GetRequiredService<IJobQueue>(), new SendMail(8), DateTimeOffset.UtcNow.AddHours(1));
        await using var connection = new NpgsqlConnection(_database!.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);

        await queue.EnqueueAsync(args, transaction);
        await transaction.CommitAsync(Cancellation);
        await queue.EnqueueAsync(args, new EnqueueOptions { RunAt = time });

        Assert.Equal("mail 8", await _ran.NextAsync());
        await host.StopAsync(Cancellation);
    }

    private static async Task MoveAsync(NpgsqlDataSource dataSource, IJobQueue queue, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        var requests = new List<EnqueueRequest>();
        do
        {
            requests.Clear();
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await using var command = new NpgsqlCommand(
                """
                delete from jobs where id in (select id from jobs where status = 'new' order by id limit 1000 for update skip locked)
                returning file_id, due_at
                """,
                connection, transaction);
            await using (var rows = await command.ExecuteReaderAsync(cancellationToken))
            {
                while (await rows.ReadAsync(cancellationToken))
                {
                    DateTimeOffset? dueAt = rows.IsDBNull(1) ? null : rows.GetFieldValue<DateTimeOffset>(1);
                    requests.Add(EnqueueRequest.Create(new Import(rows.GetInt64(0)), new EnqueueOptions { RunAt = dueAt }));
                }
            }

            await queue.EnqueueManyAsync(requests, transaction, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        while (requests.Count > 0);
    }

    private IHost Build(Action<IServiceCollection> register)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddPatience();
        builder.Services.AddSingleton(_ran).AddSingleton<IMailer>(_ran).AddSingleton<IConverter>(_ran).AddSingleton<IImporter>(_ran);
        register(builder.Services);
        return builder.Build();
    }
}
