using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

internal sealed partial class SqliteQueueStore
{
    public async ValueTask<IReadOnlyList<long>> ListClaimsAsync(Guid nodeId, CancellationToken cancellationToken)
        => await _database.ReadBrieflyAsync(
            session =>
            {
                var fences = new List<long>();
                var statement = session.Get(ClaimSql.OfNode).Bind(1, nodeId);
                while (statement.Step())
                {
                    fences.Add(statement.Int64(0));
                }

                return fences;
            },
            cancellationToken).ConfigureAwait(false);

    public async ValueTask<int> ReleaseClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken)
    {
        if (fences.Count == 0)
        {
            return 0;
        }

        var (count, queues) = await _database.WriteAsync(
            session =>
            {
                var moves = new EntryMoves(session, _database.Names, _database.Now());
                var held = new HeldClaims(session, _database.Claims, nodeId);
                var queues = new HashSet<string>(StringComparer.Ordinal);
                var count = 0;
                foreach (var fence in fences)
                {
                    if (held.Find(fence) is { } claim)
                    {
                        count += Release(moves, fence, claim.Node, claim.Contents, queues);
                        RemoveClaim(session, fence);
                    }
                }

                return (count, queues);
            },
            cancellationToken).ConfigureAwait(false);
        foreach (var queue in queues)
        {
            _database.Hints.Work(queue);
        }

        return count;
    }

    public async ValueTask<RecoveryReport> SweepAsync(int maxCrashes, AuditInfo? audit, CancellationToken cancellationToken)
    {
        var dead = await _database.ReadBrieflyAsync(ReadDeadNodes, cancellationToken).ConfigureAwait(false);
        return await NodeSweeps.RunAsync(
            dead,
            static node => node.Name,
            async (node, items) =>
            {
                SweptPart part = new([], [], [], IsLast: false);
                for (IReadOnlyList<Unfinished>? all = null; !part.IsLast; all = part.All)
                {
                    part = await _database.WriteAsync(
                        session => Sweep(session, node, maxCrashes, audit, all), cancellationToken).ConfigureAwait(false);
                    items.AddRange(part.Items);
                    foreach (var queue in part.Queues)
                    {
                        _database.Hints.Work(queue);
                    }
                }

                _database.Locks.Remove(node.Id);
            }).ConfigureAwait(false);
    }

    private static int Release(EntryMoves moves, long fence, long node, ClaimContents contents, HashSet<string> queues)
    {
        var count = 0;
        var duration = moves.Since(moves.Session.Get(ClaimSql.ClaimedAt).Bind(1, fence).Scalar() ?? moves.Now);
        foreach (var (id, attempt, crashes) in contents.Entries)
        {
            var run = new Run(id, fence, node, attempt, crashes, duration, MayHaveTask: true);
            if (moves.PutBack(run, OutcomeKind.Released, moves.Now, null, EndReasons.NotStarted, out var cancelled) && !cancelled)
            {
                count++;
                queues.Add(QueueOf(moves.Session, id));
            }
        }

        return count;
    }

    private static List<DeadNode> ReadDeadNodes(SqliteSession session)
    {
        var nodes = new List<DeadNode>();
        var statement = session.Get(NodeSql.DeadWithClaims);
        while (statement.Step())
        {
            var id = statement.Guid(1);
            nodes.Add(new DeadNode(
                statement.Int64(0), id, NodeRules.Label(statement.Text(2), statement.Boolean(3), id), statement.Boolean(4)));
        }

        return nodes;
    }

    /// <summary>Sweeps claims of one dead node, in several transactions if there are many entries. The first one judges all suspects:
    /// whether an entry was the only one can be decided only over all of them.</summary>
    /// <param name="session">The writer's session.</param>
    /// <param name="node">The node.</param>
    /// <param name="maxCrashes">The crash-loop threshold.</param>
    /// <param name="audit">The operator who requested the sweep; <see langword="null"/> if a node sweeps by itself.</param>
    /// <param name="running">The entries that ran when the node died, from the part before this one; <see langword="null"/> for the
    /// first.</param>
    private SweptPart Sweep(
        SqliteSession session, DeadNode node, int maxCrashes, AuditInfo? audit, IReadOnlyList<Unfinished>? running)
    {
        var moves = new EntryMoves(session, _database.Names, _database.Now());
        var items = new List<RecoveryItem>();
        var queues = new HashSet<string>(StringComparer.Ordinal);
        var (fences, unfinished) = ReadUnfinished(session, node.Number);
        var threshold = CrashLevels.SuspectFromWithin(maxCrashes);
        var suspects = node.Stopped ? 0 : unfinished.Count(entry => entry.Crashes >= threshold);
        var death = node.Stopped ? null : ReadDeath(session, node.Number);
        var all = running ?? unfinished;

        // What each part reads again does not count: a dead node with very many entries would be swept one entry at a time.
        var budget = new LockBudget();
        foreach (var entry in unfinished.OrderBy(entry => entry.Crashes < threshold))
        {
            if (items.Count > 0 && entry.Crashes < threshold && !budget.IsLeft)
            {
                RecordSweep(moves, node, items, audit);
                return new SweptPart(items, queues, all, IsLast: false);
            }

            items.Add(Recover(moves, node, entry, maxCrashes, isOnlySuspect: suspects == 1 && entry.Crashes >= threshold));
            budget.Spend(RecordDeath(moves, death, entry, items[^1], all));
            FaultPoints.Reach(FaultPoints.SweepMiddle);
            if (items[^1].Action == RecoveryAction.Recovered)
            {
                queues.Add(items[^1].Queue!);
            }
        }

        foreach (var fence in fences)
        {
            RemoveClaim(session, fence);
        }

        // Each black box has the step of its own entry. An erasure of an entry finds its black boxes, but not its node.
        if (death?.Vitals is { } vitals)
        {
            session.Get(NodeSql.SetVitals).Bind(1, node.Number).Bind(2, StoredVitals.WithStepOf(vitals, 0)).Execute();
        }

        RecordSweep(moves, node, items, audit);
        return new SweptPart(items, queues, all, IsLast: true);
    }

    private static Death? ReadDeath(SqliteSession session, long node)
    {
        var statement = session.Get(NodeSql.Death).Bind(1, node);
        var death = statement.Step()
            ? new Death(
                statement.Int64(0), statement.IsNull(1) ? null : (DeathProof)statement.Int32(1),
                statement.NullableText(2), statement.NullableText(3))
            : null;
        statement.Reset();
        return death;
    }

    // An entry whose cancellation was requested ends as cancelled; its outcome has no black box.
    private static int RecordDeath(
        EntryMoves moves, Death? death, Unfinished entry, RecoveryItem item, IReadOnlyList<Unfinished> all)
    {
        if (death is null || string.Equals(item.Reason, EndReasons.CancelRequested, StringComparison.Ordinal))
        {
            return 0;
        }

        var stored = moves.Session.Get(ProgressSql.LastStored).Bind(1, entry.Id).Bind(2, entry.Fence).Scalar();
        var box = StoredBlackBox.Write(
            all.Where(other => other.Id != entry.Id).Select(static other => other.Id),
            stored is { } at ? Micros.ToSpan(Math.Max(0, death.At - at)) : null,
            death.Proof,
            death.DeclaredBy,
            StoredVitals.WithStepOf(death.Vitals, entry.Id));
        moves.Session.Get(OutcomeSql.SetBlackBox).Bind(1, entry.Id).Bind(2, entry.Fence).Bind(3, box).Execute();
        return box.Length;
    }

    private static void RecordSweep(EntryMoves moves, DeadNode node, List<RecoveryItem> items, AuditInfo? audit)
    {
        if (items.Count > 0)
        {
            var swept = new NewEvent(QueueEventKind.Swept) { Node = node.Name, Entries = items.Count };
            EventWriter.Add(moves.Session, moves.Now, swept);
            if (audit is not null)
            {
                EventWriter.Add(moves.Session, moves.Now, swept with { Kind = QueueEventKind.WorkRecovered, Audit = audit });
            }
        }

        foreach (var item in items.Where(static item => string.Equals(item.Reason, EndReasons.CrashLoop, StringComparison.Ordinal)))
        {
            EventWriter.Add(
                moves.Session, moves.Now,
                new NewEvent(QueueEventKind.CrashLoop) { Node = node.Name, EntryId = item.EntryId, Subject = item.Kind });
        }
    }

    private static RecoveryItem Recover(EntryMoves moves, DeadNode node, Unfinished entry, int maxCrashes, bool isOnlySuspect)
    {
        var session = moves.Session;
        var task = TaskMoves.Find(session, entry.Id);
        var kind = KindOf(session, entry.Id);
        var item = new RecoveryItem
        {
            Action = RecoveryAction.Recovered,
            EntryId = entry.Id,
            TaskId = task,
            Kind = kind,
            Queue = QueueOf(session, entry.Id),
            Node = node.Name,
            NodeDied = !node.Stopped,
            Crashes = entry.Crashes,
        };
        var run = new Run(
            entry.Id, entry.Fence, node.Number, entry.Attempt, entry.Crashes, moves.Since(entry.ClaimedAt), task is not null);
        bool cancelled;
        if (node.Stopped)
        {
            moves.PutBack(run, OutcomeKind.Released, moves.Now, null, null, out cancelled);
            return cancelled ? Closed(item, EndReasons.CancelRequested) : item;
        }

        var crashes = HasProgress(session, entry, task) ? 1 : entry.Crashes + 1;
        var counted = item with { Crashes = Math.Min(crashes, maxCrashes) };
        if (crashes > maxCrashes && isOnlySuspect && !moves.IsCancelRequested(entry.Id))
        {
            var error = CrashLoopText.Of(crashes, node.Name);
            moves.End(run with { Crashes = crashes }, OutcomeKind.Failed, [], error, EndReasons.CrashLoop);
            return Closed(item with { Crashes = crashes }, EndReasons.CrashLoop);
        }

        moves.PutBack(run with { Crashes = counted.Crashes }, OutcomeKind.Lost, moves.Now, null, null, out cancelled);
        return cancelled ? Closed(counted, EndReasons.CancelRequested) : counted;
    }

    private static RecoveryItem Closed(RecoveryItem item, string reason) => item with { Action = RecoveryAction.Closed, Reason = reason };

    private static (List<long> Fences, List<Unfinished> Entries) ReadUnfinished(SqliteSession session, long node)
    {
        var fences = new List<long>();
        var entries = new List<Unfinished>();
        var statement = session.Get(NodeSql.Claims).Bind(1, node);
        while (statement.Step())
        {
            var (fence, claimedAt) = (statement.Int64(0), statement.Int64(4));
            fences.Add(fence);
            foreach (var (id, attempt, crashes) in ClaimContents.Parse(statement.Bytes(1), statement.Bytes(2), statement.Bytes(3)).Entries)
            {
                // If another program has removed the entry's row, there is nothing to recover, and the claim goes.
                if (!session.Get(OutcomeSql.Exists).Bind(1, id).Bind(2, fence).Exists()
                    && session.Get(EntrySql.KindAndKey).Bind(1, id).Exists())
                {
                    entries.Add(new Unfinished(id, fence, attempt, crashes, claimedAt));
                }
            }
        }

        return (fences, entries);
    }

    private static bool HasProgress(SqliteSession session, Unfinished entry, Guid? task)
        => session.Get(ProgressSql.StoredUnder).Bind(1, entry.Id).Bind(2, task).Bind(3, entry.Fence).Exists();

    private static string KindOf(SqliteSession session, long entry)
    {
        var statement = session.Get(EntrySql.KindName).Bind(1, entry);
        statement.Step();
        var kind = statement.Text(0);
        statement.Reset();
        return kind;
    }

    private sealed record SweptPart(List<RecoveryItem> Items, HashSet<string> Queues, IReadOnlyList<Unfinished> All, bool IsLast);

    private sealed record Death(long At, DeathProof? Proof, string? DeclaredBy, string? Vitals);

    private sealed record DeadNode(long Number, Guid Id, string Name, bool Stopped);

    private readonly record struct Unfinished(long Id, long Fence, int Attempt, int Crashes, long ClaimedAt);
}
