using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Npgsql;
using TaskRecovery.Hosting;

namespace TaskRecovery.Crash.Host;

/// <summary>What every probe does around its work: it writes to the journal when it begins, when its token is cancelled, when all is done
/// and when it ends.</summary>
internal static class Probe
{
    public static async Task RunAsync(
        Journal journal, WorkContext context, string detail, Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        journal.Write(context.EntryId, context.Fence, JournalEvents.Begin, detail);

        // A token calls the newest registration first, and a driver that asks its server to cancel a statement may hold up those after it
        // for seconds. So the work has a token of its own, and the journal hears of ours before it.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var registration = cancellationToken.UnsafeRegister(
            _ => journal.Write(context.EntryId, context.Fence, JournalEvents.Token, context.StopReason.ToString()),
            state: null);
        try
        {
            await work(stopping.Token);
            journal.Write(context.EntryId, context.Fence, JournalEvents.Done, detail);
        }
        catch (ClaimLostException)
        {
            journal.Write(context.EntryId, context.Fence, JournalEvents.Refused, detail);
            throw;
        }
        finally
        {
            journal.Write(context.EntryId, context.Fence, JournalEvents.End, detail);
        }
    }

    public static Task HoldAsync(int milliseconds, CancellationToken cancellationToken)
        => milliseconds == 0 ? Task.CompletedTask : Task.Delay(milliseconds, cancellationToken);

    /// <summary>Waits until a file appears, if one is named.</summary>
    public static async Task UntilAsync(string? file, CancellationToken cancellationToken)
    {
        while (file is not null && !File.Exists(file))
        {
            await Task.Delay(100, cancellationToken);
        }
    }
}

internal sealed class PlainProbeWorker(Journal journal) : IJobWorker<PlainProbe>
{
    public Task WorkAsync(WorkContext<PlainProbe> context, CancellationToken cancellationToken)
        => Probe.RunAsync(
            journal,
            context,
            context.Args.IsUnresponsive || context.Args.Blocks ? JournalEvents.Deaf : context.Kind,
            token => HoldAsync(context, token),
            cancellationToken);

    private static async Task HoldAsync(WorkContext<PlainProbe> context, CancellationToken cancellationToken)
    {
        var token = context.Args.IsUnresponsive ? CancellationToken.None : cancellationToken;
        if (context.Args.Blocks)
        {
            Thread.Sleep(context.Args.HoldMs);
        }
        else if (context.Args.Until is { } file)
        {
            for (var clock = Stopwatch.StartNew(); !File.Exists(file) && clock.ElapsedMilliseconds < context.Args.HoldMs;)
            {
                await Task.Delay(100, token);
            }
        }
        else
        {
            await Probe.HoldAsync(context.Args.HoldMs, token);
        }

        if (context.Args.ResultBytes > 0)
        {
            context.SetResult(new string('r', context.Args.ResultBytes));
        }
    }
}

internal sealed class StepsProbeWorker(Journal journal) : IJobWorker<StepsProbe>
{
    public Task WorkAsync(WorkContext<StepsProbe> context, CancellationToken cancellationToken)
        => Probe.RunAsync(journal, context, context.Kind, token => RunStepsAsync(context, token), cancellationToken);

    private async Task RunStepsAsync(WorkContext<StepsProbe> context, CancellationToken cancellationToken)
    {
        for (var number = 1; number <= context.Args.Steps; number++)
        {
            if (number == context.Args.Steps)
            {
                await Probe.UntilAsync(context.Args.Until, cancellationToken);
            }

            var name = string.Create(CultureInfo.InvariantCulture, $"step-{number}");
            var ran = false;
            await context.StepAsync(
                name,
                async token =>
                {
                    ran = true;
                    journal.Write(context.EntryId, context.Fence, JournalEvents.StepBegin, name);
                    await Probe.HoldAsync(context.Args.HoldMs, token);
                },
                cancellationToken);
            if (ran)
            {
                journal.Write(context.EntryId, context.Fence, JournalEvents.StepStored, name);
            }
        }
    }
}

internal sealed class CheckpointProbeWorker(Journal journal) : IJobWorker<CheckpointProbe>
{
    public Task WorkAsync(WorkContext<CheckpointProbe> context, CancellationToken cancellationToken)
        => Probe.RunAsync(journal, context, context.Kind, token => RunRoundsAsync(context, token), cancellationToken);

    private async Task RunRoundsAsync(WorkContext<CheckpointProbe> context, CancellationToken cancellationToken)
    {
        for (var round = await context.GetCheckpointAsync<int>(cancellationToken);
            round < context.Args.Rounds && !File.Exists(context.Args.Until);
            round++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"round-{round}");
            journal.Write(context.EntryId, context.Fence, JournalEvents.StepBegin, name);
            await Probe.HoldAsync(context.Args.HoldMs, cancellationToken);
            await context.SaveCheckpointAsync(round + 1, cancellationToken);
            journal.Write(context.EntryId, context.Fence, JournalEvents.StepStored, name);
        }
    }
}

internal sealed class TransactionProbeWorker(Journal journal, HostSettings settings) : IJobWorker<TransactionProbe>
{
    public Task WorkAsync(WorkContext<TransactionProbe> context, CancellationToken cancellationToken)
        => Probe.RunAsync(journal, context, context.Kind, token => RunInTransactionAsync(context, token), cancellationToken);

    private async Task RunInTransactionAsync(WorkContext<TransactionProbe> context, CancellationToken cancellationToken)
    {
        await using DbConnection connection = (settings.ApplicationPostgres ?? settings.Postgres) is { } connectionString
            ? new NpgsqlConnection(connectionString)
            : new SqliteConnection($"Data Source={settings.SqliteFile}");
        await connection.OpenAsync(cancellationToken);
        if (connection is SqliteConnection)
        {
            await Probe.UntilAsync(context.Args.Until, cancellationToken);
        }

        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);

        // SQLite has one writer: whoever holds a write transaction holds up everybody, so the probe waits before its first write there.
        await Probe.HoldAsync(context.Args.HoldMs, cancellationToken);
        await using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = string.Create(
            CultureInfo.InvariantCulture, $"insert into probe_effects (entry, fence) values ({context.EntryId}, {context.Fence})");
        await command.ExecuteNonQueryAsync(cancellationToken);
        await context.CompleteAsync(transaction, cancellationToken);
        await Probe.HoldAsync(context.Args.OpenMs, cancellationToken);
        if (connection is NpgsqlConnection)
        {
            await Probe.UntilAsync(context.Args.Until, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }
}

internal sealed class PoisonProbeWorker(Journal journal) : IJobWorker<PoisonProbe>
{
    public Task WorkAsync(WorkContext<PoisonProbe> context, CancellationToken cancellationToken)
        => Probe.RunAsync(
            journal,
            context,
            context.Kind,
            async token =>
            {
                while (context.Crashes == 0 && journal.Begun < context.Args.Begun)
                {
                    await Task.Delay(10, token);
                }

                await Probe.HoldAsync(context.Args.HoldMs, token);
                TestSupport.Signal.Kill.SendTo(Environment.ProcessId);
            },
            cancellationToken);
}

internal sealed class OddProbeWorker(Journal journal) : IJobWorker<OddProbe>
{
    public Task WorkAsync(WorkContext<OddProbe> context, CancellationToken cancellationToken)
        => Probe.RunAsync(
            journal,
            context,
            context.Kind,
            _ => context.Attempt <= context.Args.Times ? throw OddException.Create(context.Args.Number) : Task.CompletedTask,
            cancellationToken);
}

internal sealed class JobProbeHandler(Journal journal) : ITaskHandler<JobProbe>
{
    public Task RunAsync(TaskContext<JobProbe> context, CancellationToken cancellationToken)
        => Probe.RunAsync(
            journal,
            context,
            string.Create(CultureInfo.InvariantCulture, $"{context.TaskId} {context.DueAt:O}"),
            token => Probe.HoldAsync(context.Args.HoldMs, token),
            cancellationToken);
}
