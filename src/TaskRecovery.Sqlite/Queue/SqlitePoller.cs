using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Answers the poll that each node sends a few times a second.</summary>
/// <remarks>It uses its own connection and first checks whether anything was committed since the last poll (<c>pragma data_version</c>). If
/// not, and nothing has become due, the last answer is still valid. So an idle node costs almost nothing.</remarks>
internal sealed class SqlitePoller(SqliteDatabase database) : IDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _turn = new(1);
    private bool _isDisposed;
    private SqliteSession? _session;
    private Answer? _last;

    public async ValueTask<PollResult> PollAsync(PollRequest request, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return FindStillTrue(request) ?? await Task.Run(() => Poll(request), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            _session?.Dispose();
            _session = null;
            _last = null;
            if (SqliteErrors.Translate(exception, database.Path) is var translated && !ReferenceEquals(translated, exception))
            {
                throw translated;
            }

            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        // A poll that is in progress is using the connection.
        _isDisposed = _turn.Wait(StopTimeout);
        if (_isDisposed)
        {
            _session?.Dispose();
            _session = null;
            _turn.Release();
        }
    }

    // Runs on the caller's thread: the check takes some microseconds, and two thread switches would be most of the cost of an idle process.
    private PollResult? FindStillTrue(PollRequest request)
    {
        if (_isDisposed || _session is not { } session || _last is not { } last
            || !last.IsFor(request) || session.ReadDataVersion() != last.Version)
        {
            return null;
        }

        // In a log that was deleted, nothing changes any more.
        session.Files?.Confirm();
        if (last.NextDueAt is not { } at)
        {
            return last.Result;
        }

        var now = database.Now();
        return now < at ? last.Result with { NextDue = Micros.ToSpan(at - now) } : null;
    }

    private PollResult Poll(PollRequest request)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(SqlitePoller));
        var session = _session ??= database.OpenReader();
        var version = session.ReadDataVersion();
        var now = database.Now();
        session.Get("begin").Execute();
        var (result, nextDueAt) = Read(session, request, now);
        session.Commit();
        _last = request.WithUnknownKinds ? null : new Answer(request, version, nextDueAt, result);
        return result;
    }

    private static (PollResult Result, long? NextDueAt) Read(SqliteSession session, PollRequest request, long now)
    {
        var kinds = request.Kinds as HashSet<string> ?? new HashSet<string>(request.Kinds, StringComparer.Ordinal);
        var due = new List<string>();
        var paused = WaitingGroups.ReadPaused(session);
        var unknown = new SortedSet<string>(StringComparer.Ordinal);
        long? next = null;
        foreach (var name in request.Queues)
        {
            if (session.Get(NameSql.FindOpenQueue).Bind(1, name).Scalar() is not { } queue)
            {
                continue;
            }

            var isDue = false;
            foreach (var group in WaitingGroups.Read(session, names: null, queue, kinds: null))
            {
                if (!kinds.Contains(group.KindName))
                {
                    unknown.Add(group.KindName);
                    continue;
                }

                if (paused?.Contains(group.Kind) == true)
                {
                    continue;
                }

                isDue |= group.FirstDue <= now;
                var later = group.FirstDue > now ? group.FirstDue : WaitingGroups.FirstLater(session, queue, group, now);
                next = later < next || next is null ? later ?? next : next;
            }

            if (isDue)
            {
                due.Add(name);
            }
        }

        var result = new PollResult(
            due, next is { } at ? Micros.ToSpan(at - now) : null,
            ReadCancels(session, request.NodeId), request.WithUnknownKinds ? [.. unknown] : []);
        return (result, next);
    }

    // Includes entries that an erasure has ended under their claim, because the node has not noticed yet.
    private static List<long> ReadCancels(SqliteSession session, Guid nodeId)
    {
        var requested = new HashSet<long>();
        var statement = session.Get(EntrySql.AllCancels);
        while (statement.Step())
        {
            requested.Add(statement.Int64(0));
        }

        return requested.Count == 0 ? [] : FindRunning(session, nodeId, requested);
    }

    // A request stays until its entry ends, so that every poll repeats this: it reads only what this node has claimed.
    private static List<long> FindRunning(SqliteSession session, Guid nodeId, HashSet<long> entries)
    {
        var running = new List<long>();
        var claims = session.Get(ClaimSql.ContentsOfNode).Bind(1, nodeId);
        while (claims.Step())
        {
            var fence = claims.Int64(0);
            var contents = ClaimContents.Parse(claims.Bytes(1), claims.Bytes(2), claims.Bytes(3));
            running.AddRange(contents.Entries.Select(static entry => entry.Id).Where(
                id => entries.Contains(id) && !session.Get(OutcomeSql.ExistsByNode).Bind(1, id).Bind(2, fence).Exists()));
        }

        running.Sort();
        return running;
    }

    private sealed record Answer(PollRequest Request, long Version, long? NextDueAt, PollResult Result)
    {
        public bool IsFor(PollRequest request)
            => !request.WithUnknownKinds && Request.NodeId == request.NodeId
                && Request.Queues.SequenceEqual(request.Queues, StringComparer.Ordinal)
                && Request.Kinds.SequenceEqual(request.Kinds, StringComparer.Ordinal);
    }
}
