using TaskRecovery.Cli.Commands;

namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>Bulk operations after they were started: listed, shown, stopped and undone.</summary>
public sealed class OperationTests : IDisposable
{
    private readonly CliFixture _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task Operations_are_listed_and_shown_with_what_they_refused()
    {
        await _cli.MigratedAsync();
        var ids = await _cli.EnqueueAsync(3);
        await _cli.RunAsync("cancel", $"{ids[0]}", "--yes");
        await _cli.RunAsync("cancel", $"{ids[0]}", $"{ids[1]}", "--yes", "--actor", "anna", "--reason", "wrong price");
        await _cli.RunAsync("cancel", "--kind", "ren*", "--yes");

        var list = await _cli.RunAsync("ops");
        var named = await _cli.RunAsync("ops", "list", "--limit", "1", "--json");
        var shown = await _cli.RunAsync("ops", "show", "2");
        var entries = await _cli.RunAsync("ops", "show", "2", "--entries", "--json");
        var selection = await _cli.RunAsync("ops", "show", "3");

        Assert.Equal((0, 4, "There are no others.\n"), (list.ExitCode, list.Lines.Length, list.Error));
        Assert.StartsWith("2   Cancel  Ended  2         1     1", list.Lines[2], StringComparison.Ordinal);
        Assert.Contains("anna (cli)  wrong price", list.Lines[2], StringComparison.Ordinal);
        Assert.StartsWith("1   Cancel  Ended  1         1     0", list.Lines[3], StringComparison.Ordinal);
        Assert.Equal(3, named.Json().GetProperty("operations").EnumerateArray().Single().GetProperty("id").GetInt64());
        Assert.Equal(3, named.Json().GetProperty("nextBefore").GetInt64());
        Assert.Equal($"entry {ids[0]}: refused, because it has already ended", shown.Lines[^1]);
        Assert.Equal(2, entries.Json().GetProperty("entries").GetArrayLength());
        Assert.Equal("selects: --state 'Waiting' --state 'Running' --kind 'ren*'", selection.Lines[^1]);
    }

    [Fact]
    public async Task A_cancelled_entry_waits_again_with_its_old_due_time_after_an_undo()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(600, new EnqueueOptions { RunAfter = TimeSpan.FromHours(5) });
        var before = (await _cli.RunAsync("list", "--limit", "1", "--json")).Json().GetProperty("entries")[0].GetProperty("runAt")
            .GetDateTimeOffset();
        await _cli.RunAsync("cancel", "--all", "--yes");

        var undone = await _cli.RunAsync("undo", "1", "--yes");
        var after = (await _cli.RunAsync("list", "--limit", "1", "--json")).Json().GetProperty("entries")[0];
        var list = await _cli.RunAsync("ops");

        Assert.Equal((0, "operation 2: Ended, 600 done, 0 refused\n"), (undone.ExitCode, undone.Out));
        Assert.Equal(("Waiting", before), (after.GetProperty("state").GetString(), after.GetProperty("runAt").GetDateTimeOffset()));
        Assert.EndsWith("of 1", list.Lines[1], StringComparison.Ordinal);
        Assert.EndsWith("by 2", list.Lines[2], StringComparison.Ordinal);
        (await _cli.RunAsync("undo", "1", "--yes")).AssertFailed(1, "Operation 1 is undone by operation 2: only one that has ended");
    }

    [Fact]
    public async Task One_entry_that_was_cancelled_waits_again_with_its_old_due_time_after_an_undo()
    {
        await _cli.MigratedAsync();

        await UndoingAsync(_cli);
    }

    [Fact]
    public async Task One_entry_that_was_cancelled_waits_again_with_its_old_due_time_after_an_undo_on_PostgreSQL()
    {
        await using var database = await MigratedDatabase.CreateAsync("cli");
        using var cli = new CliFixture(database.ConnectionString);

        await UndoingAsync(cli);
    }

    [Fact]
    public async Task A_retry_from_the_start_is_shown_as_one()
    {
        await _cli.MigratedAsync();

        await RetryingFromTheStartAsync(_cli);
    }

    [Fact]
    public async Task A_retry_from_the_start_is_shown_as_one_on_PostgreSQL()
    {
        await using var database = await MigratedDatabase.CreateAsync("cli");
        using var cli = new CliFixture(database.ConnectionString);

        await RetryingFromTheStartAsync(cli);
    }

    [Fact]
    public async Task An_operation_that_was_interrupted_is_stopped_and_its_rest_untouched()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(700);
        using var interrupt = new CancellationTokenSource();
        using var errors = new WatchedWriter();
        errors.On("500 done", interrupt.Cancel);

        var cancelled = await _cli.RunAsync(["cancel", "--all", "--yes"], answer: null, cancellationToken: interrupt.Token, error: errors);
        var shown = await _cli.RunAsync("ops", "show", "1");
        var stop = await _cli.RunAsync("ops", "stop", "1", "--yes");

        Assert.Equal((130, ""), (cancelled.ExitCode, cancelled.Out));
        Assert.EndsWith("Operation 1 was stopped: 500 entries were changed.\n", cancelled.Error, StringComparison.Ordinal);
        Assert.StartsWith("1   Cancel  Stopped  700       500   0", shown.Lines[1], StringComparison.Ordinal);
        stop.AssertFailed(1, "Operation 1 is Stopped: only a running one can be stopped.");
    }

    [Fact]
    public async Task An_operation_that_was_interrupted_while_it_started_is_stopped()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(2);
        using var interrupt = new CancellationTokenSource();
        using var errors = new WatchedWriter();
        errors.On("operation 1", interrupt.Cancel);

        var cancelled = await _cli.RunAsync(["cancel", "--all", "--yes"], answer: null, cancellationToken: interrupt.Token, error: errors);
        var listed = await _cli.RunAsync("ops", "--json");

        Assert.Equal((130, ""), (cancelled.ExitCode, cancelled.Out));
        Assert.Equal("operation 1\nOperation 1 was stopped: 0 entries were changed.\n", cancelled.Error);
        Assert.Equal("Stopped", listed.Json().GetProperty("operations").EnumerateArray().Single().GetProperty("state").GetString());
    }

    [Fact]
    public async Task An_undo_that_was_interrupted_is_stopped_and_can_be_repeated()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(2);
        await _cli.RunAsync("cancel", "--all", "--yes");
        using var interrupt = new CancellationTokenSource();
        using var errors = new WatchedWriter();
        errors.On("operation 2", interrupt.Cancel);

        var interrupted = await _cli.RunAsync(["undo", "1", "--yes"], answer: null, cancellationToken: interrupt.Token, error: errors);
        var again = await _cli.RunAsync("undo", "1", "--yes");
        var third = await _cli.RunAsync("undo", "1", "--yes");

        Assert.Equal((130, ""), (interrupted.ExitCode, interrupted.Out));
        Assert.EndsWith("Operation 2 was stopped: 0 entries were changed.\n", interrupted.Error, StringComparison.Ordinal);
        Assert.Equal((0, "operation 3: Ended, 2 done, 0 refused\n"), (again.ExitCode, again.Out));
        third.AssertFailed(1, "Operation 1 is undone by operation 3");
    }

    [Fact]
    public async Task A_running_operation_is_continued_until_it_has_ended()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(700);
        await _cli.StartOperationAsync();

        var continued = await _cli.RunAsync("ops", "continue", "1", "--yes");
        var again = await _cli.RunAsync("ops", "continue", "1", "--yes");

        Assert.Equal((0, "operation 1: Ended, 700 done, 0 refused\n"), (continued.ExitCode, continued.Out));
        again.AssertFailed(1, "Operation 1 is Ended: only a running one can be continued.");
    }

    [Fact]
    public async Task An_entry_shows_which_operations_changed_it_and_who_started_them()
    {
        await _cli.MigratedAsync();
        var ids = await _cli.EnqueueAsync(2);
        await _cli.RunAsync("cancel", "--all", "--yes", "--actor", "anna", "--reason", "wrong price");
        await _cli.RunAsync("undo", "1", "--yes", "--actor", "bert");

        var shown = await _cli.RunAsync("show", $"{ids[0]}");

        var lines = shown.Lines.SkipWhile(static line => line != "bulk operations:").ToArray();
        Assert.StartsWith("1          Cancel     done", lines[2], StringComparison.Ordinal);
        Assert.EndsWith("anna (cli)  wrong price", lines[2], StringComparison.Ordinal);
        Assert.StartsWith("2          Undo of 1  done", lines[3], StringComparison.Ordinal);
        Assert.Contains("bert (cli)", lines[3], StringComparison.Ordinal);
    }

    private static async Task RetryingFromTheStartAsync(CliFixture cli)
    {
        var ids = await cli.EnqueueAsync(2);
        await cli.RunAsync("cancel", "--all", "--yes");
        await cli.RunAsync("retry", $"{ids[0]}", "--from-start", "--yes");
        await cli.RunAsync("retry", "--kind", "render", "--from-start", "--yes");

        string[][] calls = [["events"], ["show", $"{ids[0]}"], ["show", $"{ids[1]}"], ["ops", "show", "2"], ["ops", "show", "3"]];
        foreach (var args in calls)
        {
            Assert.Contains("from the start", (await cli.RunAsync(args)).Out, StringComparison.Ordinal);
        }
    }

    private static async Task UndoingAsync(CliFixture cli)
    {
        var id = (await cli.EnqueueAsync(1, new EnqueueOptions { RunAfter = TimeSpan.FromDays(30) }))[0];
        var before = (await cli.RunAsync("list", "--json")).Json().GetProperty("entries")[0].GetProperty("runAt").GetDateTimeOffset();

        var cancelled = await cli.RunAsync("cancel", $"{id}", "--yes", "--json");
        var ended = (await cli.RunAsync("list", "--json")).Json().GetProperty("entries")[0].GetProperty("state").GetString();
        var undone = await cli.RunAsync("undo", $"{cancelled.Json().GetProperty("operationId").GetInt64()}", "--yes");
        var after = (await cli.RunAsync("list", "--json")).Json().GetProperty("entries")[0];

        Assert.Equal((0, "Cancelled", 0), (cancelled.ExitCode, ended, undone.ExitCode));
        Assert.Equal(("Waiting", before), (after.GetProperty("state").GetString(), after.GetProperty("runAt").GetDateTimeOffset()));
    }

    [Theory]
    [InlineData(OperationResult.Done, OperationState.Stopped, "Operation 7 was stopped: 500 entries were changed.")]
    [InlineData(OperationResult.WrongState, OperationState.Prepared, "Operation 7 was not started. Nothing was changed.")]
    [InlineData(OperationResult.WrongState, OperationState.Ended, "Operation 7 had already ended: 500 entries were changed.")]
    [InlineData(
        OperationResult.WrongState, OperationState.Stopped,
        "Operation 7 was not stopped, because it is Stopped: 500 entries were changed.")]
    [InlineData(OperationResult.NotFound, null, "Operation 7 was not stopped, because it no longer exists.")]
    public void An_interruption_reports_what_became_of_the_operation(OperationResult result, OperationState? state, string expected)
    {
        var operation = state is not { } known ? null : new BulkOperation
        {
            Id = 7,
            Action = BulkAction.Cancel,
            State = known,
            Audit = new AuditInfo("anna"),
            CreatedAt = default,
            UpToId = 1,
            Expected = new Count(700),
            Done = 500,
            Refused = 0,
        };

        Assert.Equal(expected, OperationRun.Describe(7, new OperationAnswer(result, operation)));
    }

    [Fact]
    public async Task A_running_operation_is_stopped()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(2);
        await _cli.StartOperationAsync();

        var stopped = await _cli.RunAsync("ops", "stop", "1", "--yes");
        var undone = await _cli.RunAsync("undo", "1", "--yes", "--dry-run");

        Assert.Equal((0, "operation 1: Stopped, 0 done, 0 refused\n"), (stopped.ExitCode, stopped.Out));
        Assert.StartsWith("would: Undo operation 1 (Cancel, 0 entries)", undone.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dry_run_says_what_would_be_refused()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(2);
        await _cli.StartOperationAsync();

        var stop = await _cli.RunAsync("ops", "stop", "1", "--dry-run");
        var carryOn = await _cli.RunAsync("ops", "continue", "1", "--dry-run");
        (await _cli.RunAsync("undo", "1", "--dry-run")).AssertFailed(1, "Operation 1 is Running: only one that has ended");
        await _cli.RunAsync("ops", "continue", "1", "--yes");
        (await _cli.RunAsync("ops", "stop", "1", "--dry-run")).AssertFailed(1, "Operation 1 is Ended: only a running one can be stopped.");
        (await _cli.RunAsync("ops", "continue", "1", "--dry-run")).AssertFailed(
            1, "Operation 1 is Ended: only a running one can be continued.");
        await _cli.RunAsync("undo", "1", "--yes");
        (await _cli.RunAsync("undo", "1", "--dry-run")).AssertFailed(1, "Operation 1 is undone by operation 2: only one that has ended");
        (await _cli.RunAsync("undo", "2", "--dry-run")).AssertFailed(1, "Operation 2 is Ended: only one that has ended");

        Assert.StartsWith("would: Stop operation 1 (Cancel, 0 of 2 done)", stop.Out, StringComparison.Ordinal);
        Assert.StartsWith("would: Continue operation 1 (Cancel, 0 of 2 done)", carryOn.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OperationState.Ended, 29, null, null, true)]
    [InlineData(OperationState.Stopped, 29, null, null, true)]
    [InlineData(OperationState.Ended, 31, null, null, false)]
    [InlineData(OperationState.Running, null, null, null, false)]
    [InlineData(OperationState.Prepared, null, null, null, false)]
    [InlineData(OperationState.Ended, 1, 8L, OperationState.Stopped, true)]
    [InlineData(OperationState.Ended, 1, 8L, OperationState.Running, false)]
    public void An_operation_is_undone_once_and_within_thirty_days(
        OperationState state, int? daysAgo, long? undoneBy, OperationState? lastUndo, bool expected)
    {
        var now = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
        var operation = new BulkOperation
        {
            Id = 7,
            Action = BulkAction.Cancel,
            State = state,
            Audit = new AuditInfo("anna"),
            CreatedAt = default,
            EndedAt = daysAgo is { } days ? now.AddDays(-days) : null,
            UpToId = 1,
            Expected = new Count(700),
            Done = 500,
            Refused = 0,
            UndoneBy = undoneBy,
        };

        Assert.Equal(expected, OperationChecks.MayUndo(operation, lastUndo, now));
        Assert.False(OperationChecks.MayUndo(operation with { Action = BulkAction.Undo }, lastUndo, now));
    }

    [Theory]
    [InlineData(6, "There is no operation 99", "ops", "show", "99")]
    [InlineData(6, "There is no operation 99", "ops", "stop", "99", "--yes")]
    [InlineData(6, "There is no operation 99", "ops", "continue", "99", "--yes")]
    [InlineData(6, "There is no operation 99", "undo", "99", "--yes")]
    [InlineData(2, "OP is 'x': use the number of an operation", "undo", "x", "--yes")]
    [InlineData(2, "Limit is '0': use 1 to 1,000", "ops", "--limit", "0")]
    [InlineData(2, "Add --yes.", "undo", "1")]
    [InlineData(2, "Add --yes.", "ops", "stop", "1")]
    public async Task Bad_input_is_explained(int exitCode, string message, params string[] args)
    {
        await _cli.MigratedAsync();

        (await _cli.RunAsync(args)).AssertFailed(exitCode, message);
    }
}
