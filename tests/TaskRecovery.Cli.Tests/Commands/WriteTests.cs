using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>The commands that change something: who did it, what was refused, and nothing without consent.</summary>
public sealed class WriteTests : IDisposable
{
    private readonly CliFixture _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task An_entry_is_cancelled_and_retried_by_a_named_actor()
    {
        await _cli.MigratedAsync();
        var id = (await _cli.EnqueueAsync(1))[0];

        var cancelled = await _cli.RunAsync("cancel", $"{id}", "--yes", "--actor", "anna", "--reason", "wrong price");
        var retried = await _cli.RunAsync("retry", $"{id}", "--yes", "--from-start", "--at", "2h");
        var events = (await _cli.RunAsync("events", "--by", "anna", "--json")).Json().GetProperty("events");
        var due = (await _cli.RunAsync("list", "--json")).Json().GetProperty("entries")[0].GetProperty("runAt").GetDateTimeOffset();

        Assert.Equal(
            (0, $"cancel entry {id}: done\n", "operation 1: 'taskrecovery undo 1' reverses it.\n"),
            (cancelled.ExitCode, cancelled.Out, cancelled.Error));
        Assert.Equal(
            (0, $"retry entry {id}: done\n", "operation 2: 'taskrecovery undo 2' reverses it until it runs.\n"),
            (retried.ExitCode, retried.Out, retried.Error));
        Assert.Equal(["OperationEnded", "OperationStarted"], events.EnumerateArray().Select(static one => Text(one, "kind")));
        Assert.All(events.EnumerateArray(), happened => Assert.Equal(
            (id, "Cancel", "wrong price", "cli"),
            (happened.GetProperty("entryId").GetInt64(), Text(happened, "subject"), Text(happened, "reason"), Text(happened, "tool"))));
        Assert.True(due > DateTimeOffset.UtcNow.AddMinutes(110), $"due at {due}");
    }

    [Fact]
    public async Task A_refused_action_changes_nothing_and_says_why()
    {
        await _cli.MigratedAsync();
        var id = (await _cli.EnqueueAsync(1))[0];

        var waiting = await _cli.RunAsync("retry", $"{id}", "--yes");
        var unknown = await _cli.RunAsync("cancel", "999", "--yes");
        var json = await _cli.RunAsync("cancel", "999", "--yes", "--json");

        waiting.AssertFailed(1, $"retry entry {id}: nothing was changed, because it has not ended.");
        unknown.AssertFailed(6, "cancel entry 999: nothing was changed, because it does not exist.");
        Assert.Equal((6, "NotFound"), (json.ExitCode, Text(json.Json(), "result")));
    }

    [Fact]
    public async Task Data_are_erased_by_id_key_and_metadata_and_the_question_says_what()
    {
        await _cli.MigratedAsync();
        var one = (await _cli.EnqueueAsync(1))[0];
        await _cli.EnqueueAsync(2, new EnqueueOptions
        {
            Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["customer"] = "4711" },
        });

        var asked = await _cli.RunAsync("erase", "--metadata", "customer=4711", "--dry-run");
        var byMetadata = await _cli.RunAsync("erase", "--metadata", "customer=4711", "--yes", "--reason", "request 12");
        var byId = await _cli.RunAsync("erase", $"{one}", "--yes");
        var nothing = await _cli.RunAsync("erase", "--key", "invoice-1", "--yes");
        var reasons = (await _cli.RunAsync("list", "--json")).Json().GetProperty("entries").EnumerateArray().Select(
            static entry => Text(entry, "reason"));

        Assert.StartsWith(
            "would: Erase the data of every entry with the metadata 'customer=4711' in ", asked.Lines[0], StringComparison.Ordinal);
        Assert.EndsWith(", which can't be undone: 2 found", asked.Lines[0], StringComparison.Ordinal);
        Assert.Equal((0, "erase every entry with the metadata 'customer=4711': done, 2 erased\n"), (byMetadata.ExitCode, byMetadata.Out));
        Assert.Equal((0, $"erase entry {one}: done, 1 erased\n"), (byId.ExitCode, byId.Out));
        nothing.AssertFailed(6, "erase every entry with the unique key 'invoice-1': nothing was changed, because it does not exist.");
        Assert.Equal(["erased", "erased", "erased"], reasons);
    }

    [Fact]
    public async Task What_is_erased_is_never_guessed()
    {
        await _cli.MigratedAsync();

        (await _cli.RunAsync("erase", "--yes")).AssertFailed(2, "Nothing is selected: give ids, --key or --metadata.");
        (await _cli.RunAsync("erase", "1", "--key", "a", "--yes")).AssertFailed(
            2, "Ids, --key and --metadata exclude each other: use one of them.");
        (await _cli.RunAsync("erase", "--kind", "mail", "--yes")).AssertFailed(
            2, "--kind is only used with --key: give the unique key, or ids, or --metadata.");
    }

    [Fact]
    public async Task A_job_is_run_now_and_deleted()
    {
        await _cli.MigratedAsync();
        await _cli.CreateJobAsync("sweep");

        var run = await _cli.RunAsync("job", "run", "sweep", "--yes", "--json");
        await _cli.RunAsync("pause", "job", "sweep", "--yes");
        var paused = await _cli.RunAsync("job", "run", "sweep", "--yes");
        var deleted = await _cli.RunAsync("job", "delete", "sweep", "--yes", "--actor", "anna", "--reason", "replaced");
        var gone = await _cli.RunAsync("job", "run", "sweep", "--yes");
        var kinds = (await _cli.RunAsync("events", "--json")).Json().GetProperty("events").EnumerateArray().Select(
            static happened => Text(happened, "kind"));

        Assert.Equal((0, "sweep"), (run.ExitCode, Text(run.Json(), "job")));
        Assert.True(run.Json().GetProperty("entryId").GetInt64() > 0);
        paused.AssertFailed(1, "run job sweep: nothing was changed, because it is paused, has ended or was deleted.");
        Assert.Equal((0, "delete job sweep: done\n"), (deleted.ExitCode, deleted.Out));
        gone.AssertFailed(6, "There is no job 'sweep'. 'taskrecovery jobs' lists all.");
        Assert.Equal(["JobDeleted", "Paused", "JobTriggered"], kinds.Where(static kind => kind is not "NodeJoined"));
    }

    [Fact]
    public async Task A_job_is_run_for_due_times_of_the_past()
    {
        await _cli.MigratedAsync();
        var job = await _cli.CreateJobAsync("sweep");
        var (first, last) = (job.NextRunAt!.Value.AddHours(-5), job.NextRunAt.Value.AddHours(-3));
        string[] range = ["job", "backfill", "sweep", "--from", $"{first.AddSeconds(-1):O}", "--to", $"{last.AddSeconds(1):O}"];

        var preview = await _cli.RunAsync([.. range, "--dry-run"]);
        var asked = await _cli.RunAsync([.. range], answer: "n");
        var nothing = await _cli.RunAsync("job", "backfill", "sweep", "--from", "1s", "--yes");
        var done = await _cli.RunAsync([.. range, "--yes", "--json", "--actor", "anna"]);
        await _cli.RunAsync("pause", "job", "sweep", "--yes");
        var paused = await _cli.RunAsync([.. range, "--yes"]);
        var happened = (await _cli.RunAsync("events", "--json")).Json().GetProperty("events").EnumerateArray().First(
            static one => Text(one, "kind") == "JobBackfilled");

        Assert.Equal(0, preview.ExitCode);
        Assert.StartsWith(
            $"would: Run job sweep for those of 3 due times from {first:yyyy-MM-dd'T'HH:mm:ss'Z'} to {last:yyyy-MM-dd'T'HH:mm:ss'Z'} that "
            + "have no task, in ", preview.Lines[0], StringComparison.Ordinal);
        Assert.Equal(4, preview.Lines.Count(static line => line.Length > 0));
        Assert.Equal((130, true), (asked.ExitCode, asked.Error.Contains("Run job sweep for those of 3", StringComparison.Ordinal)));
        Assert.Equal(1, nothing.ExitCode);
        Assert.Contains("because no run was due from", nothing.Error, StringComparison.Ordinal);
        Assert.Equal((0, "sweep", 3), (done.ExitCode, Text(done.Json(), "job"), done.Json().GetProperty("runs").GetInt32()));
        paused.AssertFailed(1, "backfill job sweep: nothing was changed, because it is paused, has ended, runs once or was deleted.");
        Assert.Equal(("anna", 3), (Text(happened, "actor"), happened.GetProperty("entries").GetInt32()));
    }

    [Theory]
    [InlineData("time_zone = 'Mars/Base'", "'Mars/Base'")]
    [InlineData("cron = '61 * * * *'", "61")]
    public async Task A_job_that_this_machine_can_not_plan_is_named_with_the_problem(string change, string problem)
    {
        await _cli.MigratedAsync();
        foreach (var name in (string[])["sweep", "report"])
        {
            await _cli.UseAsync(services => services.GetRequiredService<IJobService>().CreateOrUpdateAsync(
                new JobDefinition(name, Schedule.Cron("0 * * * *")), new CliFixture.Render(0), TestContext.Current.CancellationToken));
        }

        await _cli.RunAsync("pause", "job", "sweep", "--yes");
        await Database.ExecuteAsync(_cli.ConnectionString, $"update taskrecovery_jobs set {change}");

        string[] resume = ["resume", "job", "sweep", "--yes"];
        string[] backfill = ["job", "backfill", "report", "--from", "20h"];
        foreach (var args in (string[][])[resume, [.. backfill, "--dry-run"], [.. backfill, "--yes"]])
        {
            var failed = await _cli.RunAsync(args);
            failed.AssertFailed(4, problem);
            failed.AssertFailed(4, args == resume ? "Job 'sweep' can't be planned" : "Job 'report' can't be planned");
        }
    }

    [Fact]
    public async Task A_backfill_from_before_the_retention_says_that_it_repeats_completed_runs()
    {
        await _cli.MigratedAsync();
        await _cli.CreateJobAsync("sweep");

        var within = await _cli.RunAsync("job", "backfill", "sweep", "--from", "20h", "--dry-run");
        var before = await _cli.RunAsync("job", "backfill", "sweep", "--from", "3d", "--dry-run");

        Assert.Equal((0, 0), (within.ExitCode, before.ExitCode));
        Assert.DoesNotContain("repeats runs", within.Error, StringComparison.Ordinal);
        Assert.Contains(
            "backfill job sweep: it repeats runs that completed more than 24 hours ago", before.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backfill_from_before_the_last_change_says_that_it_uses_the_definition_of_today()
    {
        await _cli.MigratedAsync();
        var job = await _cli.CreateJobAsync("sweep");

        var before = await _cli.RunAsync("job", "backfill", "sweep", "--from", "20h", "--dry-run");

        Assert.Equal(0, before.ExitCode);
        Assert.Contains(
            "backfill job sweep: its range begins before the job was created or last changed "
            + $"({job.UpdatedAt.ToUniversalTime():yyyy-MM-dd'T'HH:mm:ss'Z'})", before.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_entries_are_changed_in_steps_with_their_progress()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(700);

        var cancelled = await _cli.RunAsync("cancel", "--kind", "render", "--yes");
        var json = await _cli.RunAsync("retry", "--state", "cancelled", "--yes", "--json");

        Assert.Equal(0, cancelled.ExitCode);
        Assert.EndsWith("Ended, 700 done, 0 refused\n", cancelled.Out, StringComparison.Ordinal);
        Assert.Contains("500 done, 0 refused, of 700", cancelled.Error, StringComparison.Ordinal);
        Assert.Equal((0, 700L), (json.ExitCode, json.Json().GetProperty("done").GetInt64()));
    }

    [Fact]
    public async Task What_a_bulk_action_refused_is_listed()
    {
        await _cli.MigratedAsync();
        var ids = await _cli.EnqueueAsync(2);
        await _cli.RunAsync("cancel", $"{ids[0]}", "--yes");

        var partly = await _cli.RunAsync("cancel", $"{ids[0]}", $"{ids[1]}", "--yes");
        var nothing = await _cli.RunAsync("cancel", $"{ids[0]}", $"{ids[1]}", "--yes");

        Assert.Equal((5, 1), (partly.ExitCode, nothing.ExitCode));
        Assert.Contains($"entry {ids[0]}: refused, because it has already ended", partly.Lines);
        Assert.EndsWith("1 done, 1 refused", partly.Lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_filter_that_matches_nothing_is_no_error()
    {
        await _cli.MigratedAsync();

        var result = await _cli.RunAsync("retry", "--kind", "mail.*", "--yes");

        Assert.Equal((0, "0 done, 0 refused\n", "No entries match.\n"), (result.ExitCode, result.Out, result.Error));
    }

    [Theory]
    [InlineData("queue", "mail")]
    [InlineData("kind", "render")]
    [InlineData("job", "sweep")]
    public async Task A_queue_a_kind_and_a_job_are_paused_and_resumed(string what, string name)
    {
        await _cli.MigratedAsync();
        await _cli.CreateJobAsync("sweep");

        var paused = await _cli.RunAsync(
            ["pause", what, name, "--yes", "--reason", "upgrade", .. what == "job" ? (string[])[] : ["--new"]], answer: null);
        var shown = await _cli.RunAsync($"{what}s");
        var resumed = await _cli.RunAsync("resume", what, name, "--yes");
        var events = await _cli.RunAsync("events", "--kind", "Paused", "--kind", "Resumed", "--json");

        Assert.Equal((0, $"pause {what} {name}: done\n"), (paused.ExitCode, paused.Out));
        Assert.Contains("paused", shown.Out, StringComparison.OrdinalIgnoreCase);
        Assert.Equal((0, $"resume {what} {name}: done\n"), (resumed.ExitCode, resumed.Out));
        Assert.Equal(2, events.Json().GetProperty("events").GetArrayLength());
    }

    [Theory]
    [InlineData("queue", "defualt")]
    [InlineData("kind", "rendr")]
    public async Task A_name_that_was_never_used_is_not_paused(string what, string name)
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(1);

        var paused = await _cli.RunAsync("pause", what, name, "--yes");
        var resumed = await _cli.RunAsync("resume", what, name, "--yes");
        var listed = await _cli.RunAsync($"{what}s");

        paused.AssertFailed(
            6, $"pause {what} {name}: nothing was changed, because it does not exist. To pause a name that was never used, add --new.");
        resumed.AssertFailed(6, "it does not exist");
        Assert.DoesNotContain(name, listed.Out, StringComparison.Ordinal);
        (await _cli.RunAsync("pause", "job", "x", "--new", "--yes")).AssertFailed(2, "--new is for a queue or a kind");
    }

    [Theory]
    [InlineData("queue", "mail")]
    [InlineData("kind", "render")]
    [InlineData("job", "sweep")]
    public async Task Who_has_paused_it_is_said_before_it_is_paused_again_and_it_is_resumed_once(string what, string name)
    {
        await _cli.MigratedAsync();
        await _cli.CreateJobAsync("sweep");
        string[] create = what == "job" ? [] : ["--new"];
        await _cli.RunAsync(
            ["pause", what, name, "--yes", "--actor", "anna", "--reason", "provider down", "--until", "2099-01-01T10:00:00Z", .. create],
            answer: null);

        var asked = await _cli.RunAsync(["pause", what, name], answer: "n");
        var described = await _cli.RunAsync("pause", what, name, "--dry-run");
        await _cli.RunAsync("resume", what, name, "--yes");
        var again = await _cli.RunAsync("resume", what, name, "--yes");
        var events = await _cli.RunAsync("events", "--kind", "Resumed", "--json");

        foreach (var text in (string[])[asked.Error, described.Out])
        {
            Assert.Contains("(already paused by anna since ", text, StringComparison.Ordinal);
            Assert.Contains(" until 2099-01-01T10:00:00Z: provider down)", text, StringComparison.Ordinal);
        }

        again.AssertFailed(1, $"resume {what} {name}: nothing was changed, because it is not paused.");
        Assert.Equal(1, events.Json().GetProperty("events").GetArrayLength());
    }

    [Fact]
    public async Task A_pause_may_have_an_end()
    {
        await _cli.MigratedAsync();
        await _cli.CreateJobAsync("sweep");

        var queue = await _cli.RunAsync("pause", "queue", "mail", "--new", "--yes", "--until", "2099-01-01T10:00:00Z");
        var job = await _cli.RunAsync("pause", "job", "sweep", "--yes", "--until", "2099-01-01T10:00:00Z", "--reason", "upgrade");
        var shown = await _cli.RunAsync("queues");
        var jobs = await _cli.RunAsync("jobs");

        Assert.Equal((0, 0), (queue.ExitCode, job.ExitCode));
        Assert.Contains("until 2099-01-01T10:00:00Z", shown.Out, StringComparison.Ordinal);
        Assert.Contains("until 2099-01-01T10:00:00Z: upgrade", jobs.Out, StringComparison.Ordinal);
        (await _cli.RunAsync("pause", "queue", "mail", "--new", "--yes", "--until", "2001-01-01")).AssertFailed(2, "in the past");
        (await _cli.RunAsync("pause", "job", "nope", "--yes")).AssertFailed(6, "There is no job 'nope'");
        (await _cli.RunAsync("pause", "node", "x", "--yes")).AssertFailed(2, "WHAT is 'node'");
    }

    [Fact]
    public async Task Migrations_are_checked_and_applied()
    {
        var missing = await _cli.RunAsync("migrate", "--check");
        await File.WriteAllBytesAsync(_cli.File, [], TestContext.Current.CancellationToken);
        var pending = await _cli.RunAsync("migrate", "--check");
        var early = await _cli.RunAsync("status");
        var applied = await _cli.RunAsync("migrate", "--yes");
        var again = await _cli.RunAsync("migrate", "--yes", "--json");
        var complete = await _cli.RunAsync("migrate", "--check");

        missing.AssertFailed(3, "does not exist");
        Assert.Equal((1, "missing 001_queue"), (pending.ExitCode, pending.Lines[0]));
        early.AssertFailed(4, "Run 'taskrecovery migrate'.");
        Assert.Equal((0, "applied 001_queue"), (applied.ExitCode, applied.Lines[0]));
        Assert.Equal((0, 0), (again.ExitCode, again.Json().GetProperty("applied").GetArrayLength()));
        Assert.Equal((0, "", "The tables are those of this version.\n"), (complete.ExitCode, complete.Out, complete.Error));
    }

    [Theory]
    [InlineData("retry", "1")]
    [InlineData("cancel", "--all")]
    [InlineData("pause", "queue", "mail")]
    [InlineData("resume", "queue", "mail")]
    [InlineData("migrate")]
    public async Task A_write_needs_consent_and_a_database_that_may_be_written(params string[] args)
    {
        await _cli.MigratedAsync();

        (await _cli.RunAsync(args)).AssertFailed(2, "Add --yes.");
        _cli.Variables["TASKRECOVERY_READONLY"] = "1";
        (await _cli.RunAsync([.. args, "--yes"])).AssertFailed(2, "TASKRECOVERY_READONLY is '1'");
        Assert.Equal(0, (await _cli.RunAsync("migrate", "--check")).ExitCode);
    }

    [Theory]
    [InlineData("y", 0, "Cancelled")]
    [InlineData("YES", 0, "Cancelled")]
    [InlineData("n", 130, "Waiting")]
    [InlineData("", 130, "Waiting")]
    public async Task In_a_terminal_the_user_is_asked(string answer, int exitCode, string state)
    {
        await _cli.MigratedAsync();
        var ids = await _cli.EnqueueAsync(2);

        var result = await _cli.RunAsync(["cancel", $"{ids[0]}", $"{ids[1]}"], answer);
        var entries = (await _cli.RunAsync("list", "--json")).Json().GetProperty("entries").EnumerateArray();

        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains($"Cancel 2 entries in file {_cli.File}? [y/N]", result.Error, StringComparison.Ordinal);
        Assert.All(entries, entry => Assert.Equal(state, Text(entry, "state")));
    }

    private static string? Text(System.Text.Json.JsonElement element, string name) => element.GetProperty(name).GetString();
}
