using System.Data.Common;
using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Stores the outcomes of runs.</content>
internal sealed partial class PostgreSqlQueueStore
{
    public async ValueTask<IReadOnlyList<RunOutcome>> FinishAsync(
        Guid nodeId, IReadOnlyList<RunOutcome> outcomes, CancellationToken cancellationToken)
    {
        List<RunOutcome>? refused = null;
        foreach (var part in Split(outcomes))
        {
            var stored = await StoreContentAsync(nodeId, part.Statement, part.Outcomes, cancellationToken).ConfigureAwait(false);
            FaultPoints.Reach(FaultPoints.FlushMiddle);
            if (stored < part.Outcomes.Count)
            {
                (refused ??= []).AddRange(await FindRefusedAsync(nodeId, part.Outcomes, cancellationToken).ConfigureAwait(false));
            }
        }

        return refused ?? (IReadOnlyList<RunOutcome>)[];
    }

    public async ValueTask FinishInTransactionAsync(
        Guid nodeId, RunOutcome outcome, DbTransaction transaction, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await Transactions.RequireOwnAsync(transaction, cancellationToken).ConfigureAwait(false);
            await _database.ExecuteAsync(
                connection, OutcomeSql.EndInTransaction, OutcomeBatch.ToArgs(nodeId, [outcome], check: true), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (PostgresException exception) when (string.Equals(exception.SqlState, PostgreSqlErrors.LostClaim, StringComparison.Ordinal))
        {
            throw new ClaimLostException(outcome.EntryId, outcome.Fence, exception);
        }
        catch (Exception exception) when (PostgreSqlErrors.OfCaller(exception, nameof(transaction)) is not null)
        {
            throw PostgreSqlErrors.OfCaller(exception, nameof(transaction))!;
        }
        catch (Exception exception) when (PostgreSqlErrors.Translate(exception, _database.SchemaName) is not null)
        {
            throw PostgreSqlErrors.Translate(exception, _database.SchemaName)!;
        }
    }

    public async ValueTask<IReadOnlyList<RunOutcome>> FindBlockedAsync(
        IReadOnlyList<RunOutcome> outcomes, CancellationToken cancellationToken)
    {
        // A run whose start was not answered has no handler that could have completed it in a transaction, so that its entry need not be
        // locked for the question.
        List<RunOutcome> unanswered = [.. outcomes.Where(IsStartUnanswered)];
        List<RunOutcome> answered = [.. outcomes.Where(static outcome => !IsStartUnanswered(outcome))];
        HashSet<long> free = [], locked = [];
        Dictionary<long, Guid> waiting = [];
        await _database.ReadEachAsync(
            [
                new(OutcomeSql.NotBlocked, Ids(answered)),
                new(OutcomeSql.WithLockedTasks, Ids(outcomes.Where(static outcome => outcome.IsTask))),
                new(OutcomeSql.WithLockedJobs, Ids(unanswered)),
            ],
            async (number, reader, token) =>
            {
                switch (number)
                {
                    case 0: free = [.. await ReadNumbersAsync(reader, token).ConfigureAwait(false)]; break;
                    case 1: locked = [.. await ReadNumbersAsync(reader, token).ConfigureAwait(false)]; break;
                    default: waiting = await ReadJobsAsync(reader, token).ConfigureAwait(false); break;
                }
            },
            cancellationToken).ConfigureAwait(false);
        var unlocked = waiting.Count == 0 ? null : await WaitForOneJobAsync([.. waiting.Values], cancellationToken).ConfigureAwait(false);
        return
        [
            .. answered.Where(outcome => !free.Contains(outcome.EntryId) || locked.Contains(outcome.EntryId)),
            .. unanswered.Where(outcome => locked.Contains(outcome.EntryId)
                || (waiting.TryGetValue(outcome.EntryId, out var job) && job != unlocked)),
        ];
    }

    private static async ValueTask<Dictionary<long, Guid>> ReadJobsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var jobs = new Dictionary<long, Guid>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            jobs[reader.GetInt64(0)] = reader.GetGuid(1);
        }

        return jobs;
    }

    // The starts of a busy job lock it for moments, in turn. Returns the job if it was free within the limit: its outcomes may then wait
    // for it too. Any of the jobs, so that one that stays locked does not keep the others from their turn.
    private async ValueTask<Guid?> WaitForOneJobAsync(Guid[] jobs, CancellationToken cancellationToken)
    {
        var job = jobs[Random.Shared.Next(jobs.Length)];
        try
        {
            return await _database.ReadLastAsync(
                [new(StartSql.LimitWait), new(OutcomeSql.WaitForJob, Arg.Uuid(job))],
                (_, _) => ValueTask.FromResult(job),
                cancellationToken).ConfigureAwait(false);
        }
        catch (StoreUnavailableException exception) when (exception.IsLockTimeout)
        {
            return null;
        }
    }

    public async ValueTask RemoveSettledClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken)
    {
        // A removal that is lost in a crash of the server leaves a settled claim, which the node's reconciler or a sweep removes. What is
        // stored later, such as the removal of the outcomes, is never kept without it.
        await _database.ExecuteInMemoryAsync(
            ClaimSql.RemoveSettled, [Arg.Uuid(nodeId), Arg.Array([.. fences], NpgsqlDbType.Bigint)], cancellationToken)
            .ConfigureAwait(false);
        KnownClaims.Forget(fences);
    }

    // Outcomes without further effects come first, together: they wait for no row that a user of the database may have locked. Each part is
    // a transaction of its own. If a flush is repeated after half of it was stored, it accepts that half.
    private static IEnumerable<(string Statement, List<RunOutcome> Outcomes)> Split(IReadOnlyList<RunOutcome> outcomes)
    {
        var parts = new List<(string Statement, List<RunOutcome> Outcomes, HashSet<long> Entries)>();
        foreach (var outcome in outcomes)
        {
            var statement = OutcomeRules.PutsBack(outcome.Kind) || OutcomeRules.EndsByRequest(outcome)
                ? OutcomeSql.PutBack
                : !outcome.HasUniqueKey && !outcome.IsTask ? OutcomeSql.End
                : IsStoredByStart(outcome) ? OutcomeSql.EndAndFollowOnce
                : OutcomeSql.EndAndFollow;
            var part = parts.Find(part => ReferenceEquals(part.Statement, statement) && !part.Entries.Contains(outcome.EntryId));
            if (part.Outcomes is null)
            {
                part = (statement, [], []);
                parts.Add(part);
            }

            part.Outcomes.Add(outcome);
            part.Entries.Add(outcome.EntryId);
        }

        return parts.OrderBy(static part => !ReferenceEquals(part.Statement, OutcomeSql.End))
            .Select(static part => (part.Statement, part.Outcomes));
    }

    // The start of a run that is skipped has ended its entry.
    private static bool IsStoredByStart(RunOutcome outcome)
        => outcome is { IsTask: true, Kind: OutcomeKind.Cancelled or OutcomeKind.Superseded };

    private async ValueTask<long> StoreContentAsync(
        Guid nodeId, string statement, List<RunOutcome> outcomes, CancellationToken cancellationToken)
    {
        try
        {
            return await StoreAsync(nodeId, statement, outcomes, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (PostgreSqlErrors.IsContent(exception))
        {
            throw new ContentRefusedException($"PostgreSQL refused a value ({exception.SqlState}: {exception.MessageText}).", exception);
        }
    }

    private async ValueTask<long> StoreAsync(Guid nodeId, string statement, List<RunOutcome> outcomes, CancellationToken cancellationToken)
    {
        try
        {
            return await StoreOnceAsync(nodeId, statement, outcomes, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception)
            when (string.Equals(exception.SqlState, PostgresErrorCodes.UniqueViolation, StringComparison.Ordinal)
                && SkippingFormOf(statement) is not null)
        {
            // Some of the outcomes are stored already: an answer was lost, or a sweep was faster.
            return await StoreOnceAsync(nodeId, SkippingFormOf(statement)!, outcomes, cancellationToken).ConfigureAwait(false);
        }
    }

    // The statement that skips outcomes which are stored already. Null if the statement itself does.
    private static string? SkippingFormOf(string statement)
        => ReferenceEquals(statement, OutcomeSql.End) ? OutcomeSql.EndOnce
            : ReferenceEquals(statement, OutcomeSql.EndAndFollow) ? OutcomeSql.EndAndFollowOnce
            : null;

    private ValueTask<long> StoreOnceAsync(Guid nodeId, string statement, List<RunOutcome> outcomes, CancellationToken cancellationToken)
    {
        var text = FaultPoints.LeavesOut(FaultPoints.FenceRule) ? OutcomeSql.WithoutFence(statement) : statement;
        var args = OutcomeBatch.ToArgs(
            nodeId, outcomes, outcomes.Exists(outcome => !KnownClaims.Contains(outcome.Fence, outcome.EntryId)));
        var locks = LocksFor(statement, outcomes);
        return locks.Count > 0
            ? _database.ReadLastAsync([.. locks, new Statement(text, args)], ReadStoredAsync, cancellationToken)
            : _database.ReadAsync(text, args, ReadStoredAsync, cancellationToken);
    }

    // A user of the database may keep a task, an entry, a job or a unique key locked for as long as a transaction lasts. Only the outcomes
    // that need this row wait for it: the writer of outcomes finds out which.
    private List<Statement> LocksFor(string statement, List<RunOutcome> outcomes)
    {
        if (ReferenceEquals(statement, OutcomeSql.End) || ReferenceEquals(statement, OutcomeSql.EndOnce))
        {
            return [];
        }

        List<Statement> locks = [_database.LimitLocks];
        var unanswered = outcomes.FindAll(IsStartUnanswered);
        if (unanswered.Count > 0)
        {
            locks.Add(new Statement(OutcomeSql.LockJobs, Ids(unanswered)));
        }

        if (ReferenceEquals(statement, OutcomeSql.PutBack))
        {
            locks.Add(new Statement(OutcomeSql.LockEntries, Ids(outcomes)));
        }

        return locks;
    }

    private static bool IsStartUnanswered(RunOutcome outcome) => outcome is { IsTask: true, IsStartAnswered: false };

    private static NpgsqlParameter Ids(IEnumerable<RunOutcome> outcomes)
        => Arg.Array([.. outcomes.Select(static outcome => outcome.EntryId)], NpgsqlDbType.Bigint);

    private async ValueTask<long> ReadStoredAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (reader.FieldCount > 1)
        {
            SendHints(reader.GetFieldValue<string[]>(1));
        }

        return reader.GetInt64(0);
    }

    private ValueTask<List<RunOutcome>> FindRefusedAsync(Guid nodeId, List<RunOutcome> outcomes, CancellationToken cancellationToken)
        => _database.ReadOnPrimaryAsync(
            OutcomeSql.Find,
            [
                Arg.Array([.. outcomes.Select(outcome => outcome.EntryId)], NpgsqlDbType.Bigint),
                Arg.Array([.. outcomes.Select(outcome => outcome.Fence)], NpgsqlDbType.Bigint),
                Arg.Uuid(nodeId),
            ],
            async (reader, token) =>
            {
                var stored = new Dictionary<(long Entry, long Fence), (OutcomeKind Kind, string? Reason)>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    stored[(reader.GetInt64(0), reader.GetInt64(1))] = ((OutcomeKind)reader.GetInt16(2), reader.StringOrNull(3));
                }

                return outcomes.FindAll(
                    outcome => !stored.TryGetValue((outcome.EntryId, outcome.Fence), out var found)
                        || !OutcomeRules.IsRepetition(outcome, found.Kind, found.Reason));
            },
            cancellationToken);

    private void SendHints(string[] queues)
    {
        foreach (var queue in queues)
        {
            Hints.Work(queue);
        }
    }
}
