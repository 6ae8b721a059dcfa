using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using TaskRecovery.Crash.Host;

namespace TaskRecovery.Chaos;

/// <summary>Creates jobs, and changes, pauses, resumes and triggers them while their runs are planned, claimed and running.</summary>
/// <remarks>The last change of each job makes it run once, so that this one run can be checked.</remarks>
internal sealed class JobChanger(IJobService jobs, Random random)
{
    private const string Prefix = "changed-";
    private const int AtOnce = 3;

    private static readonly OverlapPolicy[] Policies = Enum.GetValues<OverlapPolicy>();
    private static readonly MissedRunPolicy[] Missed = Enum.GetValues<MissedRunPolicy>();

    private readonly ConcurrentQueue<OnceJob> _once = new();
    private int _number;

    /// <summary>The single runs that were acknowledged: each must exist.</summary>
    public IReadOnlyCollection<OnceJob> Once => _once;

    /// <summary>Changes jobs until it is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken)
        => Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => ChangeAsync(new Random(random.Next()), cancellationToken)));

    private async Task ChangeAsync(Random dice, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var name = Prefix + Interlocked.Increment(ref _number).ToString(CultureInfo.InvariantCulture);
                var created = await UntilAcknowledgedAsync(
                    () => SetAsync(name, Schedule.Every(TimeSpan.FromSeconds(1)), dice, cancellationToken), cancellationToken);
                for (var change = dice.Next(1, 6); change > 0; change--)
                {
                    await Task.Delay(dice.Next(0, 1500), cancellationToken);
                    await UntilAcknowledgedAsync(() => ChangeOnceAsync(created.Id, name, dice, cancellationToken), cancellationToken);
                }

                await FinishAsync(name, dice, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The harm is over.
        }
    }

    private async Task<bool> ChangeOnceAsync(Guid job, string name, Random dice, CancellationToken cancellationToken)
    {
        switch (dice.Next(5))
        {
            case 0:
                DateTimeOffset? until = dice.Next(2) == 0 ? DateTimeOffset.UtcNow + TimeSpan.FromSeconds(dice.Next(1, 4)) : null;
                return await UnlessOverAsync(() => jobs.PauseAsync(job, "chaos", "the job changer", until, cancellationToken));
            case 1:
                return await jobs.ResumeAsync(job, cancellationToken);
            case 2:
                await SetAsync(name, Schedule.Every(TimeSpan.FromSeconds(dice.Next(1, 4))), dice, cancellationToken);
                return true;
            case 3:
                return await UnlessPausedAsync(
                    () => jobs.BackfillAsync(job, DateTimeOffset.UtcNow.AddSeconds(-5), DateTimeOffset.UtcNow, cancellationToken));
            default:
                OverlapPolicy? overlap = dice.Next(2) == 0 ? Policies[dice.Next(Policies.Length)] : null;
                return await UnlessPausedAsync(() => jobs.TriggerNowAsync(job, overlap, cancellationToken));
        }
    }

    private static async Task<bool> UnlessOverAsync(Func<Task<bool>> call)
    {
        try
        {
            return await call();
        }
        catch (ArgumentOutOfRangeException)
        {
            // The call took longer than the pause should.
            return false;
        }
    }

    private static async Task<bool> UnlessPausedAsync<T>(Func<Task<T>> call)
    {
        try
        {
            await call();
            return true;
        }
        catch (InvalidOperationException)
        {
            // It is paused.
            return false;
        }
    }

    /// <summary>The last change: the job runs once, soon. A change that was not confirmed is repeated with the same time.</summary>
    private async Task FinishAsync(string name, Random dice, CancellationToken cancellationToken)
    {
        var at = DateTimeOffset.UtcNow + TimeSpan.FromMilliseconds(dice.Next(0, 2000));
        at = new DateTimeOffset(at.Ticks / TimeSpan.TicksPerMillisecond * TimeSpan.TicksPerMillisecond, TimeSpan.Zero);

        // After a failover that lost the job, this creates it anew.
        var job = await UntilAcknowledgedAsync(() => SetAsync(name, Schedule.Once(at), dice, cancellationToken), cancellationToken);
        var changed = Stopwatch.GetTimestamp();
        await UntilAcknowledgedAsync(() => jobs.ResumeAsync(job.Id, cancellationToken), cancellationToken);
        _once.Enqueue(new OnceJob(job.Id, name, at, changed));
    }

    private Task<Job> SetAsync(string name, Schedule schedule, Random dice, CancellationToken cancellationToken)
        => jobs.CreateOrUpdateAsync(
            new JobDefinition(name, schedule)
            {
                // The last run must run, whatever runs beside it.
                Overlap = schedule.At is null ? Policies[dice.Next(Policies.Length)] : OverlapPolicy.Allow,
                MissedRuns = schedule.At is null ? Missed[dice.Next(Missed.Length)] : MissedRunPolicy.RunOnce,
            },
            new JobProbe(dice.Next(10, 1500)),
            cancellationToken);

    private async Task<T> UntilAcknowledgedAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await call();
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
            }
        }
    }
}

/// <summary>A job that was changed to run once.</summary>
/// <param name="Job">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="DueAt">When it was to run.</param>
/// <param name="At">When the change was acknowledged, in ticks of the monotonic clock.</param>
internal sealed record OnceJob(Guid Job, string Name, DateTimeOffset DueAt, long At);
