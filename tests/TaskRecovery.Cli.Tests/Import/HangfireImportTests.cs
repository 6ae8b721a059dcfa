using Hangfire;
using Hangfire.Server;
using Hangfire.States;
using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Cli.Tests.Import;

/// <summary>Jobs that the real Hangfire stored are imported.</summary>
public abstract class HangfireImportTests(bool isPostgreSql) : ImportTests(isPostgreSql)
{
    private const string Type = "TaskRecovery.Cli.Tests.Import.Mailer";

    private static readonly string[] Maps =
    [
        "--map", $"{Type}.Send=mail.send(orderId,to)", "--map", $"{Type}.Publish=newsletter(*)", "--map", $"{Type}.Digest=mail.digest",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_dry_run_says_what_it_would_create_and_changes_nothing()
    {
        await using var old = await OldHangfire.CreateAsync();
        var id = old.Client.Enqueue<Mailer>(mailer => mailer.Send(5, "ann", null!));
        var unknown = old.Client.Enqueue<Mailer>(mailer => mailer.Unknown());
        var before = await old.CountsAsync();

        var result = await ImportAsync(old, Maps);

        Assert.Equal(5, result.ExitCode);
        Assert.Equal(
            [
                $$"""job {{unknown}}: can't be imported: '{{Type}}.Unknown' is not mapped: add --map '{{Type}}.Unknown=KIND'""",
                $$"""job {{id}}: would create entry of 'mail.send' in queue 'default', now, 10 attempts: {"orderId":5,"to":"ann"}""",
            ],
            result.Lines);
        Assert.Contains("1 would be created, 0 were here already, 1 can't be imported. Nothing was changed: add --yes", result.Error,
            StringComparison.Ordinal);
        Assert.Empty(await EntriesAsync());
        Assert.Equal(before, await old.CountsAsync());
    }

    [Fact]
    public async Task Enqueued_and_scheduled_jobs_become_entries_that_a_worker_can_run()
    {
        await using var old = await OldHangfire.CreateAsync();
        var time = DateTimeOffset.UtcNow.AddDays(40);
        var urgent = old.Client.Create<Mailer>(mailer => mailer.Send(6, "bob", null!), new EnqueuedState("critical"));
        var later = old.Client.Schedule<Mailer>(mailer => mailer.Send(7, "eve", null!), time);
        var routed = old.Client.Schedule<Mailer>("bulk", mailer => mailer.Publish(new Newsletter("May", new[] { 1, 2 })), time);
        var before = await old.CountsAsync();

        var result = await ImportAsync(old, [.. Maps, "--yes", "--json", "--actor", "ann"]);

        AssertCounts(result, created: 3, existing: 0, refused: 0);
        var entries = (await EntriesAsync()).ToDictionary(static entry => entry.Metadata!["importedFrom"].Split(':')[^1]);
        Assert.Equal(("mail.send", "critical", """{"orderId":6,"to":"bob"}"""),
            (entries[urgent].Kind, entries[urgent].Queue, entries[urgent].Args.Replace(" ", "", StringComparison.Ordinal)));
        Assert.Equal(time.ToUnixTimeSeconds(), entries[later].RunAt?.ToUnixTimeSeconds());
        Assert.Equal(("newsletter", "bulk"), (entries[routed].Kind, entries[routed].Queue));
        Assert.Equal("ann", entries[urgent].Metadata!["importedBy"]);
        Assert.Equal(before, await old.CountsAsync());
        Assert.Equal((6, "bob"), await Cli.RunOneAsync("mail.send", "critical", static (SendMail args) => (args.OrderId, args.To)));
    }

    [Fact]
    public async Task Nothing_is_imported_twice_also_when_the_first_entry_has_ended()
    {
        await using var old = await OldHangfire.CreateAsync();
        old.Client.Enqueue<Mailer>(mailer => mailer.Send(1, "ann", null!));
        old.Recurring.AddOrUpdate<Mailer>("digest", mailer => mailer.Digest("team"), "0 6 * * *");
        AssertCounts(await ImportAsync(old, [.. Maps, "--yes", "--json"]), created: 2, existing: 0, refused: 0);

        var again = await ImportAsync(old, [.. Maps, "--yes", "--json"]);
        await Cli.RunAsync("cancel", "--all", "--yes");
        await Cli.UseAsync(async services =>
        {
            var jobs = services.GetRequiredService<IJobService>();
            return await jobs.DeleteAsync((await jobs.GetByNameAsync("digest", Cancellation))!.Id, Cancellation);
        });
        old.Client.Enqueue<Mailer>(mailer => mailer.Send(2, "bob", null!));
        var afterEnd = await ImportAsync(
            old, ["--map", $"{Type}.Send=mail.other(orderId,to)", "--map", $"{Type}.Digest=d", "--yes", "--json"]);
        var dry = await ImportAsync(old, [.. Maps, "--json"]);

        AssertCounts(again, created: 0, existing: 2, refused: 0);
        AssertCounts(afterEnd, created: 1, existing: 2, refused: 0);
        AssertCounts(dry, created: 0, existing: 3, refused: 0);
        Assert.Equal(2, (await EntriesAsync()).Count(static entry => entry.Metadata?.ContainsKey("importedFrom") == true));
        Assert.Null(await JobAsync("digest"));
    }

    [Theory]
    [InlineData(null, 10)]
    [InlineData("1", 1)]
    [InlineData("20", 20)]
    public async Task Entries_and_jobs_have_as_many_attempts_as_the_command_says(string? given, int stored)
    {
        await using var old = await OldHangfire.CreateAsync();
        old.Client.Enqueue<Mailer>(mailer => mailer.Send(1, "ann", null!));
        old.Recurring.AddOrUpdate<Mailer>("digest", mailer => mailer.Digest("team"), "0 6 * * *");

        string[] attempts = given is null ? [] : ["--max-attempts", given];
        var result = await ImportAsync(old, [.. Maps, .. attempts, "--yes", "--json"]);

        AssertCounts(result, created: 2, existing: 0, refused: 0);
        Assert.Equal(stored, Assert.Single(await EntriesAsync(), static entry => entry.Kind == "mail.send").MaxAttempts);
        Assert.Equal(stored, (await JobAsync("digest"))!.MaxAttempts);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1001")]
    public async Task A_number_of_attempts_out_of_range_is_refused(string given)
    {
        await using var old = await OldHangfire.CreateAsync();

        (await ImportAsync(old, ["--max-attempts", given])).AssertFailed(2, $"--max-attempts is '{given}': use 1 to 1000.");
    }

    [Fact]
    public async Task A_server_that_starts_after_the_schema_was_renamed_finds_no_jobs()
    {
        await using var old = await OldHangfire.CreateAsync();
        old.Client.Enqueue<Mailer>(mailer => mailer.Send(1, "ann", null!));
        old.Recurring.AddOrUpdate<Mailer>("digest", mailer => mailer.Digest("team"), "0 6 * * *");
        AssertCounts(await ImportAsync(old, [.. Maps, "--source", "shop", "--yes", "--json"]), created: 2, existing: 0, refused: 0);

        await old.ExecuteAsync("alter schema hangfire rename to hangfire_imported");
        old.CreateTables();
        var again = await ImportAsync(
            old, [.. Maps, "--from-schema", "hangfire_imported", "--source", "shop", "--yes", "--json"]);

        Assert.Equal("0 0 0 0", await old.CountsAsync());
        AssertCounts(again, created: 0, existing: 2, refused: 0);
    }

    [Fact]
    public async Task A_second_run_imports_what_the_first_could_not()
    {
        await using var old = await OldHangfire.CreateAsync();
        old.Client.Enqueue<Mailer>(mailer => mailer.Send(1, "ann", null!));
        old.Client.Enqueue<Mailer>(mailer => mailer.Digest("a"));

        var first = await ImportAsync(old, ["--map", $"{Type}.Digest=mail.digest", "--yes", "--json"]);
        var second = await ImportAsync(old, [.. Maps, "--yes", "--json"]);

        AssertCounts(first, created: 1, existing: 0, refused: 1);
        AssertCounts(second, created: 1, existing: 1, refused: 0);
    }

    [Fact]
    public async Task Recurring_jobs_become_jobs_with_their_time_zone()
    {
        await using var old = await OldHangfire.CreateAsync();
        var berlin = new RecurringJobOptions
        {
            TimeZone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"),
            MisfireHandling = MisfireHandlingMode.Ignorable,
        };
        old.Recurring.AddOrUpdate<Mailer>("digest", "reports", mailer => mailer.Digest("team"), "0 6 * * MON-FRI", berlin);
        old.Recurring.AddOrUpdate<Mailer>("never", mailer => mailer.Digest("team"), Cron.Never());
        old.Recurring.AddOrUpdate<Mailer>("both days", mailer => mailer.Digest("team"), "0 6 1 * MON");
        old.Recurring.AddOrUpdate<Mailer>("seconds", mailer => mailer.Digest("team"), "*/15 * * * * *");

        var result = await ImportAsync(old, [.. Maps, "--yes", "--json"]);

        var json = AssertCounts(result, created: 2, existing: 0, refused: 2);
        var job = (await JobAsync("digest"))!;
        Assert.Equal(
            ("mail.digest", "cron 0 6 * * MON-FRI in Europe/Berlin", "reports", MissedRunPolicy.Skip, "team"),
            (job.Kind, job.Schedule.ToString(), job.Queue, job.MissedRuns,
                CliResult.Parse(job.Args).GetProperty("arg0").GetString()));
        Assert.Equal("cron */15 * * * * *", (await JobAsync("seconds"))!.Schedule.ToString());
        Assert.Contains("has no run in 100 years", Reason(json, "recurring job 'never'"), StringComparison.Ordinal);
        Assert.Contains("day of month '1' and day of week 'MON'", Reason(json, "recurring job 'both days'"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_of_the_same_name_stays_as_it_is()
    {
        await using var old = await OldHangfire.CreateAsync();
        old.Recurring.AddOrUpdate<Mailer>("digest", mailer => mailer.Digest("team"), "0 6 * * *");
        await Cli.CreateJobAsync("digest");

        var result = await ImportAsync(old, [.. Maps, "--yes", "--json"]);

        AssertCounts(result, created: 0, existing: 1, refused: 0);
        Assert.Equal("render", (await JobAsync("digest"))!.Kind);
    }

    [Fact]
    public async Task What_can_not_be_imported_is_listed_with_the_reason()
    {
        await using var old = await OldHangfire.CreateAsync();
        var wrongCount = old.Client.Enqueue<Mailer>(mailer => mailer.Send(1, "ann", null!));
        var parent = old.Client.Enqueue<Mailer>(mailer => mailer.Digest("a"));
        var continued = old.Client.ContinueJobWith<Mailer>(parent, mailer => mailer.Digest("b"));
        var deleted = old.Client.Enqueue<Mailer>(mailer => mailer.Digest("c"));
        old.Client.Delete(deleted);
        var broken = old.Client.Enqueue<Mailer>(mailer => mailer.Digest("d"));
        await old.ExecuteAsync($"update hangfire.job set arguments = '[\"{{\"]' where id = {broken}");
        var nul = old.Client.Enqueue<Mailer>(mailer => mailer.Digest("e"));
        await old.ExecuteAsync($$"""update hangfire.job set arguments = '["\"a\\u0000b\""]' where id = {{nul}}""");
        var half = old.Client.Enqueue<Mailer>(mailer => mailer.Digest("f"));
        await old.ExecuteAsync($$"""update hangfire.job set arguments = '["\"a\\ud800b\""]' where id = {{half}}""");
        var deep = old.Client.Enqueue<Mailer>(mailer => mailer.Digest("g"));
        await old.ExecuteAsync(
            $"update hangfire.job set arguments = '[\"{new string('[', 64)}{new string(']', 64)}\"]' where id = {deep}");
        var never = old.Client.Schedule<Mailer>(mailer => mailer.Digest("h"), TimeSpan.FromDays(9));
        await old.ExecuteAsync("update hangfire.set set score = 1e300 where key = 'schedule'");

        var result = await ImportAsync(
            old, ["--map", $"{Type}.Send=mail.send(orderId)", "--map", $"{Type}.Digest=mail.digest", "--yes", "--json"]);

        var json = AssertCounts(result, created: 1, existing: 0, refused: 8);
        Assert.Contains("names 1 arguments, and it has 2: System.Int32, System.String", Reason(json, $"job {wrongCount}"),
            StringComparison.Ordinal);
        Assert.Contains("it continues another job", Reason(json, $"job {continued}"), StringComparison.Ordinal);
        Assert.Contains("its state is 'Deleted'", Reason(json, $"job {deleted}"), StringComparison.Ordinal);
        Assert.Contains("its argument 0 (System.String) is not JSON", Reason(json, $"job {broken}"), StringComparison.Ordinal);
        Assert.Contains("NUL character", Reason(json, $"job {nul}"), StringComparison.Ordinal);
        Assert.Contains("a lone surrogate", Reason(json, $"job {half}"), StringComparison.Ordinal);
        Assert.Contains("at most 64 levels", Reason(json, $"job {deep}"), StringComparison.Ordinal);
        Assert.Contains("which is no time", Reason(json, $"job {never}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Arguments_are_read_in_both_forms_in_which_they_are_stored()
    {
        await using var old = await OldHangfire.CreateAsync();
        var time = new DateTime(2027, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        var asText = old.Client.Schedule<Mailer>(mailer => mailer.Remind(time), TimeSpan.FromDays(9));
        GlobalConfiguration.Configuration.SetDataCompatibilityLevel(CompatibilityLevel.Version_180);
        string asJson;
        try
        {
            asJson = old.Client.Schedule<Mailer>(mailer => mailer.Remind(time), TimeSpan.FromDays(9));
            old.Recurring.AddOrUpdate<Mailer>("short", mailer => mailer.Send(3, "eve", null!), "0 6 * * *");
        }
        finally
        {
            GlobalConfiguration.Configuration.SetDataCompatibilityLevel(CompatibilityLevel.Version_110);
        }

        var result = await ImportAsync(old, [.. Maps, "--map", $"{Type}.Remind=remind(at)", "--source", "shop", "--yes", "--json"]);

        AssertCounts(result, created: 3, existing: 0, refused: 0);
        foreach (var id in (string[])[asText, asJson])
        {
            Assert.Equal(time, CliResult.Parse(await ArgsAsync($"shop:{id}")).GetProperty("at").GetDateTime().ToUniversalTime());
        }

        Assert.Equal("eve", CliResult.Parse((await JobAsync("short"))!.Args).GetProperty("to").GetString());
    }

    [Fact]
    public async Task The_work_of_a_server_that_was_killed_is_imported_once_it_is_known_to_be_dead()
    {
        await using var old = await OldHangfire.CreateAsync();
        var id = old.Client.Enqueue<Mailer>(mailer => mailer.Digest("a"));
        var connection = old.Storage.GetConnection();
        connection.AnnounceServer("web:1", new ServerContext { Queues = ["default"], WorkerCount = 1 });
        connection.FetchNextJob(["default"], Cancellation);
        await old.ExecuteAsync($"update hangfire.job set statename = 'Processing' where id = {id}");

        var dry = await ImportAsync(old, [.. Maps]);
        var refused = await ImportAsync(old, [.. Maps, "--yes"]);
        await old.ExecuteAsync("update hangfire.server set lastheartbeat = now() - interval '5 minutes'");
        var result = await ImportAsync(old, [.. Maps, "--yes", "--json"]);

        Assert.Contains("seems to run: the server 'web:1' of Hangfire", dry.Error, StringComparison.Ordinal);
        refused.AssertFailed(1, "stop it first, or add --while-running. Nothing was imported.");
        AssertCounts(result, created: 1, existing: 0, refused: 0);
    }

    [Fact]
    public async Task Tables_of_another_version_are_refused()
    {
        await using var old = await OldHangfire.CreateAsync();
        await old.ExecuteAsync("update hangfire.schema set version = 99");

        (await ImportAsync(old, ["--yes"])).AssertFailed(4, "have version 99, and 20 to 23 (Hangfire.PostgreSql 1.21) are read");
    }

    [Fact]
    public async Task A_database_without_these_tables_is_refused()
    {
        await using var old = await OldHangfire.CreateAsync();

        (await ImportAsync(old, ["--from-schema", "public"])).AssertFailed(4, "The schema 'public' in database ");
        await old.ExecuteAsync("alter table hangfire.jobqueue drop column queue");
        (await ImportAsync(old, [])).AssertFailed(4, "has no column 'queue'");
    }

    private async Task<CliResult> ImportAsync(OldHangfire old, string[] args)
    {
        Cli.Variables["OLD"] = old.ConnectionString;
        return await Cli.RunAsync(["import", "hangfire", "--from", "OLD", .. args]);
    }

    public sealed record SendMail(int OrderId, string To);
}

/// <summary>Hangfire has settings of the process, so that its tests run one after the other.</summary>
[CollectionDefinition(nameof(HangfireSettings))]
public sealed class HangfireSettings;

[Collection(nameof(HangfireSettings))]
public sealed class SqliteHangfireImportTests() : HangfireImportTests(isPostgreSql: false);

[Collection(nameof(HangfireSettings))]
public sealed class PostgreSqlHangfireImportTests() : HangfireImportTests(isPostgreSql: true);
