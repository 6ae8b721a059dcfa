using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Claims entries of one queue for one node.</summary>
/// <remarks>The index keeps a queue's waiting entries sorted by kind, level and time. The claim seeks from group to group (one look-up
/// each, whatever the number of entries), keeps the groups of kinds that the node handles, and takes due entries from the front of each,
/// level by level. So entries of other kinds, or entries that are not due yet, cost nothing. Deleted rows leave no gap to skip, so claims
/// do not have to remember a position.</remarks>
internal sealed class SqliteClaimer(
    SqliteQueueStore store, SqliteDatabase database, Guid nodeId, string queue, IReadOnlyCollection<string> kinds) : IQueueClaimer
{
    // EntryLimits has the same limit; a store does not see it.
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromDays(45);

    private readonly HashSet<string> _kinds = new(kinds, StringComparer.Ordinal);

    // The first level of ordinary entries (see CrashLevels).
    private int _firstOrdinary = -1;

    public async ValueTask<ClaimBatch> ClaimAsync(int limit, SuspectAllowance suspects, CancellationToken cancellationToken)
    {
        _firstOrdinary = CrashLevels.Suspect(suspects.MaxCrashes) + 1;
        return await database.WriteAsync(session => Claim(session, limit, suspects), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<ClaimedEnqueue?> EnqueueAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        SqliteQueueStore.RefuseTooLarge(entries);
        var stored = await database.WriteAsync(
            session => Enqueue(session, entries), cancellationToken, SqliteQueueStore.IsLong(entries)).ConfigureAwait(false);
        if (stored.Batch.Entries.Count < entries.Count)
        {
            store.SendHints(entries, stored.Results);
        }

        return stored;
    }

    public ValueTask<bool> HasLastChanceAsync(int maxCrashes, CancellationToken cancellationToken)
    {
        var level = CrashLevels.LastChance(maxCrashes);
        return database.ReadBrieflyAsync(
            session => session.Get(NameSql.FindOpenQueue).Bind(1, queue).Scalar() is { } number && database.Now() is var now
                && WaitingGroups.ReadOpen(session, names: null, number, _kinds).Exists(
                    group => group.Level <= level && group.FirstDue <= now),
            cancellationToken);
    }

    public void Rewind()
    {
        // Nothing to do: every claim starts at the front.
    }

    private ClaimedEnqueue Enqueue(SqliteSession session, IReadOnlyList<NewEntry> entries)
    {
        var now = database.Now();
        var moves = new EntryMoves(session, database.Names, now);
        var node = FindNode(session);
        if (node is null || !WouldBeNext(session, entries, now))
        {
            return new ClaimedEnqueue([.. entries.Select(moves.Insert)], ClaimBatch.Empty with { NodeIsDead = node is null });
        }

        var taken = new List<Taken>(entries.Count);
        foreach (var entry in entries)
        {
            taken.Add(new Taken(new Candidate(moves.Store(entry), now, entry.Kind, 0), 0, 0));
        }

        var fence = StoreClaim(session, node.Value, taken, now);
        var claimed = entries.Zip(taken, (entry, one) => ClaimedEntry.First(entry, one.Candidate.Id, Micros.ToTime(now))).ToArray();
        return new ClaimedEnqueue([.. taken.Select(one => new EnqueueResult(one.Candidate.Id, IsDuplicate: false))], new ClaimBatch(
            NodeIsDead: false, fence, claimed, NextDue: null));
    }

    // Returns whether the new entries would be claimed next: the queue is not paused, and no due entry precedes them. The queue's name may
    // be new.
    private bool WouldBeNext(SqliteSession session, IReadOnlyList<NewEntry> entries, long now)
        => database.Names.Queue(session, queue, isOwn: true) is var number
            && session.Get(NameSql.FindOpenQueue).Bind(1, queue).Exists()
            && !entries.Any(entry => WaitingGroups.IsPaused(session, database.Names, entry.Kind))
            && !WaitingGroups.ReadOpen(session, database.Names, number, _kinds).Exists(group => group.Level >= _firstOrdinary
                && group.Level <= entries.Max(entry => entry.Priority) && group.FirstDue <= now);

    private ClaimBatch Claim(SqliteSession session, int limit, SuspectAllowance suspects)
    {
        if (FindNode(session) is not { } node)
        {
            return new ClaimBatch(true, 0, [], null);
        }

        if (session.Get(NameSql.FindOpenQueue).Bind(1, queue).Scalar() is not { } queueNumber)
        {
            return ClaimBatch.Empty;
        }

        var now = database.Now();
        var groups = WaitingGroups.ReadOpen(session, database.Names, queueNumber, _kinds);
        var taken = Take(session, queueNumber, groups, limit, suspects, now, out var stoppedAtSize);
        if (taken.Count == 0)
        {
            return new ClaimBatch(false, 0, [], NextDue(session, queueNumber, groups, suspects, now));
        }

        var fence = StoreClaim(session, node, taken, now);
        var entries = new ClaimedEntry[taken.Count];
        var anyCancels = session.Get(EntrySql.AnyCancel).Exists();
        for (var index = 0; index < entries.Length; index++)
        {
            entries[index] = ReadEntry(session, taken[index], anyCancels, now);
        }

        // If fewer entries were claimed than requested, no more are due.
        return new ClaimBatch(
            false, fence, entries,
            stoppedAtSize ? TimeSpan.Zero : entries.Length < limit ? NextDue(session, queueNumber, groups, suspects, now) : null);
    }

    // Returns null if the node is dead.
    private long? FindNode(SqliteSession session) => session.Get(NodeSql.FindAlive).Bind(1, nodeId).Scalar();

    private static List<Taken> Take(
        SqliteSession session, long queue, List<WaitingGroup> groups, int limit, SuspectAllowance suspects, long now,
        out bool stoppedAtSize)
    {
        stoppedAtSize = false;
        var bytes = 0L;
        var taken = new List<Taken>(Math.Min(limit, 256));
        var candidates = new List<Candidate>();
        var (lastChances, others) = (suspects.LastChances, suspects.Suspects);
        foreach (var level in groups.Where(group => group.FirstDue <= now).GroupBy(group => group.Level).OrderBy(level => level.Key))
        {
            var room = Math.Min(limit - taken.Count, Allowed(level.Key, suspects.MaxCrashes, lastChances, others));
            if (room <= 0)
            {
                continue;
            }

            candidates.Clear();
            foreach (var group in level)
            {
                ReadDue(session, queue, group, now, room, candidates);
            }

            if (level.Count() > 1)
            {
                candidates.Sort(static (one, two) => (one.RunAt, one.Id).CompareTo((two.RunAt, two.Id)));
            }

            room = Math.Min(room, candidates.Count);
            for (var index = 0; index < room; index++)
            {
                if (bytes >= ClaimLimits.Bytes)
                {
                    stoppedAtSize = true;
                    return taken;
                }

                var size = session.Get(EntrySql.Size).Bind(1, candidates[index].Id).Scalar() ?? 0;
                var isTooLarge = size > ClaimLimits.EntryBytes;
                bytes += isTooLarge ? 0 : size;
                taken.Add(TakeOne(session, candidates[index]) with { IsTooLarge = isTooLarge });
            }

            if (level.Key <= CrashLevels.LastChance(suspects.MaxCrashes))
            {
                lastChances -= room;
            }
            else if (level.Key <= CrashLevels.Suspect(suspects.MaxCrashes))
            {
                others -= room;
            }
        }

        return taken;
    }

    private static int Allowed(int level, int maxCrashes, int lastChances, int suspects)
        => level <= CrashLevels.LastChance(maxCrashes) ? lastChances : level <= CrashLevels.Suspect(maxCrashes) ? suspects : int.MaxValue;

    private static void ReadDue(SqliteSession session, long queue, WaitingGroup group, long now, int limit, List<Candidate> candidates)
    {
        var statement = session.Get(WaitingSql.Due).Bind(1, queue).Bind(2, group.Kind).Bind(3, group.Level).Bind(4, now).Bind(5, limit);
        while (statement.Step())
        {
            candidates.Add(new Candidate(statement.Int64(0), statement.Int64(1), group.KindName, group.Kind));
        }
    }

    private static Taken TakeOne(SqliteSession session, Candidate candidate)
    {
        var statement = session.Get(WaitingSql.Take).Bind(1, candidate.Id);
        statement.Step();
        var taken = new Taken(candidate, statement.Count(0), statement.Count(1));
        statement.Step();
        return taken;
    }

    private long StoreClaim(SqliteSession session, long node, List<Taken> taken, long now)
    {
        session.Get(ClaimSql.Insert)
            .Bind(1, now).Bind(2, node)
            .BindText(3, ClaimContents.Write(taken, static one => one.Candidate.Id))
            .BindText(4, ClaimContents.Write(taken, static one => one.Attempt))
            .BindText(5, ClaimContents.Write(taken, static one => one.Crashes))
            .Execute();
        var fence = session.LastInsertId;
        var contents = new ClaimContents(taken.ConvertAll(static one => (one.Candidate.Id, one.Attempt, one.Crashes)));
        session.AfterCommit(() => database.Claims.Add(fence, contents));
        FaultPoints.Reach(FaultPoints.ClaimBeforeCommit);
        session.AfterCommit(static () => FaultPoints.Reach(FaultPoints.ClaimCommitted));
        return fence;
    }

    private static ClaimedEntry ReadEntry(SqliteSession session, Taken taken, bool anyCancels, long now)
    {
        var id = taken.Candidate.Id;
        var cancelRequested = anyCancels && session.Get(EntrySql.IsCancelRequested).Bind(1, id).Exists();
        var statement = session.Get(EntrySql.Payload).Bind(1, id).Bind(2, taken.IsTooLarge);
        if (!statement.Step())
        {
            return Missing(taken, now);
        }

        var problem = taken.IsTooLarge ? ClaimLimits.TooLarge : ProblemOf(statement, taken.Candidate);
        var entry = new ClaimedEntry
        {
            Problem = problem,
            Id = id,
            Kind = taken.Candidate.Kind,
            Priority = statement.Int32(0),
            Args = statement.Bytes(1).ToArray(),
            Attempt = taken.Attempt + 1,
            MaxAttempts = statement.Int32(2),
            Crashes = taken.Crashes,
            CreatedAt = problem is null ? Micros.ToTime(statement.Int64(3)) : DateTimeOffset.UnixEpoch,
            Waited = WaitOf(taken, now),
            HasUniqueKey = statement.Boolean(4),
            CancelRequested = cancelRequested,
            Timeout = problem is null ? Micros.ToSpan(statement.NullableInt64(5)) : null,
            StartsWithin = Micros.Clamp(statement.NullableInt64(9)) is { } expires && !EntryMoves.HasStarted(session, id)
                ? Micros.ToSpan(expires - now)
                : null,
            Metadata = statement.NullableText(6),
            TraceParent = statement.NullableText(7),
        };
        statement.Reset();
        return entry;
    }

    // The row of waiting is all that is left of the entry.
    private static ClaimedEntry Missing(Taken taken, long now) => new()
    {
        Id = taken.Candidate.Id,
        Kind = taken.Candidate.Kind,
        Priority = 0,
        Args = ReadOnlyMemory<byte>.Empty,
        Attempt = taken.Attempt + 1,
        MaxAttempts = 1,
        Crashes = taken.Crashes,
        CreatedAt = DateTimeOffset.UnixEpoch,
        Waited = WaitOf(taken, now),
        Problem = "it waits, but taskrecovery_entries has no row for it",
    };

    private static TimeSpan WaitOf(Taken taken, long now) => Micros.ToSpan(Micros.Since(taken.Candidate.RunAt, now));

    // Describes a row that was not written by this library: a SQLite column accepts values of any type. PostgreSQL refuses the same values
    // with check constraints, which SQLite can't add to an existing table.
    private static string? ProblemOf(SqliteStatement row, Candidate candidate)
    {
        if (row.Int64(8) != candidate.KindNumber)
        {
            return $"its kind has the number {row.Int64(8)}, and it waited as {candidate.Kind} ({candidate.KindNumber})";
        }

        if (!row.IsInteger(3) || row.Int64(3) is < 0 or > Micros.Latest)
        {
            return "created_at is no time in microseconds";
        }

        if (!row.IsNull(5) && !(row.IsInteger(5) && row.Int64(5) is > 0 and var timeout && timeout <= Micros.From(LongestTimeout)))
        {
            return $"timeout is not between 1 microsecond and {LongestTimeout.Days} days";
        }

        if (!row.IsNull(9) && !row.IsInteger(9))
        {
            return "expires_at is no time in microseconds";
        }

        if (!row.IsInteger(0) || row.Int64(0) is < 0 or > CrashLevels.Highest)
        {
            return $"priority is not between 0 and {CrashLevels.Highest}";
        }

        return row.IsInteger(2) && row.Int64(2) is > 0 and <= short.MaxValue ? null : "max_attempts is not between 1 and 32,767";
    }

    private static TimeSpan? NextDue(SqliteSession session, long queue, List<WaitingGroup> groups, SuspectAllowance suspects, long now)
    {
        long? next = null;
        foreach (var group in groups.Where(group => Allowed(group.Level, suspects.MaxCrashes, suspects.LastChances, suspects.Suspects) > 0))
        {
            var due = group.FirstDue > now ? group.FirstDue : WaitingGroups.FirstLater(session, queue, group, now);
            next = due < next || next is null ? due ?? next : next;
        }

        return next is { } at ? Micros.ToSpan(at - now) : null;
    }

    private readonly record struct Candidate(long Id, long RunAt, string Kind, long KindNumber);

    private readonly record struct Taken(Candidate Candidate, int Attempt, int Crashes, bool IsTooLarge = false);
}
