using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Creates many jobs in one transaction: an application may declare 100,000 of them.</content>
internal sealed partial class PostgreSqlJobStore
{
    private const int CreateBatch = 500;

    public async Task<IReadOnlyList<Job>> UpsertManyAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
    {
        var stored = new Dictionary<string, Job>(StringComparer.Ordinal);
        foreach (var part in jobs.Chunk(CreateBatch))
        {
            var created = await TryCreateAsync(part, cancellationToken).ConfigureAwait(false);
            foreach (var job in part.Where(job => !created.Contains(job.Definition.Name)))
            {
                stored[job.Definition.Name] = await UpsertAsync(job, cancellationToken).ConfigureAwait(false);
            }

            if (created.Count > 0)
            {
                var found = await ReadJobsAsync(
                    JobSql.FindByNames, [Arg.Array([.. created], NpgsqlDbType.Text)], cancellationToken).ConfigureAwait(false);
                found.ForEach(job => stored[job.Name] = job);
            }
        }

        return [.. jobs.Select(job => stored.GetValueOrDefault(job.Definition.Name) ?? throw Deleted(job.Definition.Name))];
    }

    private static InvalidOperationException Deleted(string name)
        => new($"Job '{name}' was deleted by another process while it was stored. Create it again.");

    /// <returns>The names of the jobs that were created. Nothing was stored for the others.</returns>
    private async Task<HashSet<string>> TryCreateAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
    {
        await queue.Names.RegisterAsync(
            jobs.Select(static job => job.EntryKind).Distinct(StringComparer.Ordinal),
            jobs.Select(QueueOf).Distinct(StringComparer.Ordinal), cancellationToken).ConfigureAwait(false);
        List<(string Name, string Queue, bool IsPlanned)> created;
        try
        {
            created = await database.InTransactionAsync(
                (connection, token) => CreateAsync(connection, jobs, token), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (StoreUnavailableException or OperationCanceledException))
        {
            // One of them can't be stored. Storing them one by one shows which.
            return [];
        }

        foreach (var line in created.Where(static job => job.IsPlanned).Select(static job => job.Queue).Distinct(StringComparer.Ordinal))
        {
            queue.Hints.Work(line);
        }

        return created.Select(static job => job.Name).ToHashSet(StringComparer.Ordinal);
    }

    private async ValueTask<List<(string Name, string Queue, bool IsPlanned)>> CreateAsync(
        NpgsqlConnection connection, IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
    {
        // The insert waits for a transaction that has changed or deleted a job with one of the names.
        await database.LimitLocksAsync(connection, cancellationToken).ConfigureAwait(false);
        var now = await database.ReadTimeAsync(connection, cancellationToken).ConfigureAwait(false);
        var held = new HeldJob[jobs.Count];
        var plans = new JobPlan[jobs.Count];
        for (var i = 0; i < held.Length; i++)
        {
            held[i] = HeldJob.New(jobs[i], Json(jobs[i].Args), QueueOf(jobs[i]), now);
            plans[i] = JobPlanning.Replan(held: null, held[i].Timing, isMoved: true, now)!;
        }

        return await database.ListAsync(
            connection, JobSql.InsertMany, HeldJob.ToArgs(held, plans),
            static row => (row.GetString(0), row.GetString(1), row.GetBoolean(2)), cancellationToken).ConfigureAwait(false);
    }

    private static string QueueOf(NewJob job) => job.Definition.Queue ?? "default";
}
