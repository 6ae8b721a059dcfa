using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

internal sealed partial class SqliteQueueStore
{
    private const int CountLimit = 100_000;

    public ValueTask<PollResult> PollAsync(PollRequest request, CancellationToken cancellationToken)
        => _poller.PollAsync(request, cancellationToken);

    public async ValueTask<IReadOnlyList<QueueDepth>> MeasureAsync(CancellationToken cancellationToken)
        => await _database.ReadAsync(Measure, cancellationToken).ConfigureAwait(false);

    public async ValueTask<IReadOnlyList<string>> CheckInvariantsAsync(CancellationToken cancellationToken)
        => await _database.ReadAsync(
            session =>
            {
                var violations = new List<string>();
                var statement = session.Get(InvariantSql.Violations);
                while (statement.Step())
                {
                    violations.Add(statement.Text(0));
                }

                return violations;
            },
            cancellationToken).ConfigureAwait(false);

    private List<QueueDepth> Measure(SqliteSession session)
    {
        var now = _database.Now();
        var lanes = 0;
        var depths = new List<QueueDepth>();
        var queues = ReadQueues(session);
        foreach (var (queue, name) in queues)
        {
            if (lanes >= MonitorLimits.Lanes)
            {
                break;
            }

            lanes++;
            long due = 0, oldest = now;
            foreach (var group in WaitingGroups.Read(session, names: null, queue, kinds: null).Where(group => group.FirstDue <= now))
            {
                lanes++;
                oldest = Math.Min(oldest, group.FirstDue);
                if (due < CountLimit)
                {
                    due += session.Get(WaitingSql.CountDue).Bind(1, queue).Bind(2, group.Kind).Bind(
                        3, group.Level).Bind(4, now).Bind(5, CountLimit - due).Scalar() ?? 0;
                }
            }

            depths.Add(new QueueDepth(name, due, Micros.ToSpan(Micros.Since(oldest, now))));
        }

        depths = [.. depths.OrderByDescending(static depth => depth.Due).Take(MonitorLimits.Queues)];
        return depths.ConvertAll(depth => depth with { QueuesSkipped = queues.Count - depths.Count });
    }

    // The oldest queues first: made-up ones come last.
    private static List<(long Number, string Name)> ReadQueues(SqliteSession session)
    {
        var queues = new List<(long, string)>();
        var statement = session.Get(NameSql.Queues).Bind(1, CountLimit);
        while (statement.Step())
        {
            queues.Add((statement.Int64(0), statement.Text(1)));
        }

        return queues;
    }
}
