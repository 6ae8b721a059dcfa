namespace TaskRecovery.PostgreSql;

/// <summary>How long the starts of jobs are put off that another transaction keeps locked: for one second at first, and the longer the
/// longer the job has been locked.</summary>
/// <remarks>A run that is put off occupies a slot again at its next try, for as long as the start waits. Counts the time and not the tries,
/// because a job may have many runs.</remarks>
internal sealed class StartPutOffs(TimeProvider time)
{
    /// <summary>The shortest wait.</summary>
    internal static readonly TimeSpan First = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    // A run that is put off may start on another node, so that this one does not see that its job is free.
    private static readonly TimeSpan Forgotten = 4 * Longest;

    private const int MostJobs = 1_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<Guid, (long Since, long Last)> _jobs = [];

    /// <summary>Puts a start off.</summary>
    /// <returns>How long to wait before the next try.</returns>
    public TimeSpan PutOff(Guid job)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            if (!_jobs.TryGetValue(job, out var known) || time.GetElapsedTime(known.Last, now) > Forgotten)
            {
                if (_jobs.Count >= MostJobs)
                {
                    _jobs.Clear();
                }

                known.Since = now;
            }

            _jobs[job] = (known.Since, now);
            var locked = time.GetElapsedTime(known.Since, now);
            return locked < First ? First : locked > Longest ? Longest : locked;
        }
    }

    /// <summary>The job was free.</summary>
    public void Forget(Guid job)
    {
        lock (_gate)
        {
            _jobs.Remove(job);
        }
    }
}
