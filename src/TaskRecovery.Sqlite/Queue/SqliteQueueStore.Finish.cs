using System.Data.Common;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

internal sealed partial class SqliteQueueStore
{
    public async ValueTask<IReadOnlyList<RunOutcome>> FinishAsync(
        Guid nodeId, IReadOnlyList<RunOutcome> outcomes, CancellationToken cancellationToken)
    {
        if (outcomes.Count == 0)
        {
            return [];
        }

        List<RunOutcome>? refused = null;
        for (var done = 0; done < outcomes.Count;)
        {
            var start = done;
            var part = await _database.WriteAsync(
                session => Finish(session, nodeId, outcomes, start), cancellationToken).ConfigureAwait(false);
            done = part.End;
            foreach (var queue in part.Queues)
            {
                _database.Hints.Work(queue);
            }

            if (part.Refused.Count > 0)
            {
                (refused ??= []).AddRange(part.Refused);
            }
        }

        return refused ?? (IReadOnlyList<RunOutcome>)[];
    }

    public async ValueTask FinishInTransactionAsync(
        Guid nodeId, RunOutcome outcome, DbTransaction transaction, CancellationToken cancellationToken)
    {
        var lost = await InCallersTransactionAsync(
            transaction,
            session =>
            {
                var moves = new EntryMoves(session, _database.Names, _database.Now(), isOwn: false);
                return !TryStore(moves, new HeldClaims(session, _database.Claims, nodeId), outcome, out _);
            },
            cancellationToken).ConfigureAwait(false);
        if (lost)
        {
            // The caller's writes must not be committed, whatever the caller does next.
            transaction.Rollback();
            throw new ClaimLostException(outcome.EntryId, outcome.Fence);
        }
    }

    public async ValueTask RemoveSettledClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken)
    {
        if (fences.Count == 0)
        {
            return;
        }

        await _database.WriteAsync(
            session =>
            {
                foreach (var fence in fences)
                {
                    if (session.Get(ClaimSql.IsHeldBy).Bind(1, fence).Bind(2, nodeId).Exists()
                        && !session.Get(ClaimSql.HasUnfinished).Bind(1, fence).Exists())
                    {
                        RemoveClaim(session, fence);
                    }
                }

                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    private void RemoveClaim(SqliteSession session, long fence)
    {
        session.Get(ClaimSql.Delete).Bind(1, fence).Execute();
        session.AfterCommit(() => _database.Claims.Remove(fence));
    }

    // Stores outcomes until all are stored or the budget is used up; the rest needs another write.
    private (IReadOnlyList<RunOutcome> Refused, IReadOnlyCollection<string> Queues, int End) Finish(
        SqliteSession session, Guid nodeId, IReadOnlyList<RunOutcome> outcomes, int start)
    {
        var budget = new LockBudget();
        var moves = new EntryMoves(session, _database.Names, _database.Now());
        var held = new HeldClaims(session, _database.Claims, nodeId);
        List<RunOutcome>? refused = null;
        HashSet<string>? queues = null;
        var end = start;
        while (end < outcomes.Count && (end == start || budget.IsLeft))
        {
            var outcome = outcomes[end++];
            budget.Spend(outcome.Result.Length + (outcome.Error?.Length ?? 0));
            if (!FinishOne(moves, held, nodeId, outcome, out var waits))
            {
                (refused ??= []).Add(outcome);
                continue;
            }

            FaultPoints.Reach(FaultPoints.FlushMiddle);
            if (waits && outcome.Delay <= TimeSpan.Zero)
            {
                (queues ??= new(StringComparer.Ordinal)).Add(QueueOf(session, outcome.EntryId));
            }
        }

        return (refused ?? [], (IReadOnlyCollection<string>?)queues ?? [], end);
    }

    /// <summary>Stores one outcome.</summary>
    /// <returns><see langword="false"/> if the claim is no longer held by the node.</returns>
    private static bool FinishOne(EntryMoves moves, HeldClaims held, Guid nodeId, RunOutcome outcome, out bool waits)
        => TryStore(moves, held, outcome, out waits) || WasStoredBefore(moves.Session, nodeId, outcome);

    // In the caller's transaction a repetition is rejected: the effects of the first attempt are committed, and those of the second must
    // not be.
    private static bool TryStore(EntryMoves moves, HeldClaims held, RunOutcome outcome, out bool waits)
    {
        waits = false;
        if (held.Find(outcome.Fence) is not { } claim || !claim.Contents.TryGet(outcome.EntryId, out var attempt, out var crashes))
        {
            return false;
        }

        var spent = OutcomeRules.SpendsAttempt(outcome.Kind) ? attempt + 1 : attempt;
        var run = new Run(outcome.EntryId, outcome.Fence, claim.Node, spent, crashes, Micros.From(outcome.Duration), outcome.IsTask);
        return Store(moves, run, outcome, out waits);
    }

    private static bool Store(EntryMoves moves, Run run, RunOutcome outcome, out bool waits)
    {
        if (OutcomeRules.PutsBack(outcome.Kind))
        {
            var stored = moves.PutBack(run, outcome.Kind, Later(moves, outcome), outcome.Error, outcome.Reason, out var cancelled);
            waits = stored && !cancelled;
            return stored;
        }

        if (OutcomeRules.EndsByRequest(outcome) && !moves.IsCancelRequested(run.Entry))
        {
            waits = moves.PutBack(
                run with { Attempt = run.Attempt - 1 }, OutcomeKind.Released, moves.Now, outcome.Error, EndReasons.CancelWithdrawn, out _);
            return waits;
        }

        waits = false;
        return outcome.Kind is OutcomeKind.Completed or OutcomeKind.Failed or OutcomeKind.Cancelled or OutcomeKind.Superseded
            ? moves.End(run, outcome.Kind, outcome.Result.Span, outcome.Error, outcome.Reason)
            : throw new ArgumentOutOfRangeException(nameof(outcome), outcome.Kind, "A node does not end a run like this.");
    }

    private static long Later(EntryMoves moves, RunOutcome outcome) => moves.Now + Math.Max(0, Micros.From(outcome.Delay));

    private static bool WasStoredBefore(SqliteSession session, Guid nodeId, RunOutcome outcome)
    {
        var statement = session.Get(OutcomeSql.Find).Bind(1, outcome.EntryId).Bind(2, outcome.Fence).Bind(3, nodeId);
        if (!statement.Step())
        {
            return false;
        }

        var (kind, reason) = ((OutcomeKind)statement.Int32(0), statement.NullableText(1));
        statement.Reset();
        return OutcomeRules.IsRepetition(outcome, kind, reason);
    }

    internal static string QueueOf(SqliteSession session, long entry)
    {
        var statement = session.Get(EntrySql.QueueName).Bind(1, entry);
        statement.Step();
        var queue = statement.Text(0);
        statement.Reset();
        return queue;
    }
}
