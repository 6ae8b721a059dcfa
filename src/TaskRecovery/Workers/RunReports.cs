using TaskRecovery.Rules;

namespace TaskRecovery.Workers;

/// <summary>Stores the progress that a handler reports, at most once a second.</summary>
internal sealed class RunReports(WorkRun run, RunServices shared)
{
    private const int MaxMessage = 500;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private long? _storedAt;

    public async Task ReportAsync(long done, long? total, string? message, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(done);
        if (total is { } all)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(all, nameof(total));
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (shared.Info is not { } store || !IsDue(isLast: done == total))
        {
            return;
        }

        try
        {
            await store.SaveReportAsync(
                run.NodeId, run.Entry.Id, run.Fence, done, total,
                message is null ? null : EntryText.Storable(message, MaxMessage), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (TaskRecoveryException)
        {
            // A report is for people. The work must not fail because nobody can read it.
        }
    }

    private bool IsDue(bool isLast)
    {
        lock (_gate)
        {
            var now = shared.Time.GetTimestamp();
            if (!isLast && _storedAt is { } at && shared.Time.GetElapsedTime(at, now) < Interval)
            {
                return false;
            }

            _storedAt = now;
            return true;
        }
    }
}
