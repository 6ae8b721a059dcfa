using NpgsqlTypes;

namespace TaskRecovery.PostgreSql;

/// <summary>Sends hints after a commit: the first at once, further ones at most once every few milliseconds, without repetitions.</summary>
/// <remarks>A NOTIFY in every transaction would halve the throughput of the server, because commits that notify wait for each
/// other.</remarks>
internal sealed partial class HintSender(PostgreSqlDatabase database, TimeProvider time)
{
    private static readonly TimeSpan ShortPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    // After this time without a hint, the next one is lone again.
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(50);

    private readonly Lock _lock = new();
    private HashSet<string> _pending = new(StringComparer.Ordinal);
    private bool _sending;

    // Only the one sender uses these.
    private TimeSpan _pause;
    private long? _sentAt;

    /// <summary>The mark by which this process recognizes its own hints.</summary>
    internal string Mark { get; } = HintText.NewMark();

    /// <summary>Announces work in a queue.</summary>
    internal void Work(string queue) => Add(HintText.Work(queue));

    /// <summary>Announces work in a queue to other processes; this process's claimers are woken without a hint.</summary>
    internal void WorkForOthers(string queue) => Add(HintText.WorkForOthers(Mark, queue));

    /// <summary>Announces that a cancellation was requested, or that a queue was paused or resumed.</summary>
    internal void Control() => Add(HintText.Control);

    /// <summary>How long to wait after a hint before the next one.</summary>
    /// <param name="last">The pause after the hint before.</param>
    /// <param name="sinceLast">The time since that hint; <see langword="null"/> if there was none.</param>
    internal static TimeSpan PauseAfter(TimeSpan last, TimeSpan? sinceLast)
        => sinceLast is { } since && since < Quiet ? TimeSpan.FromTicks(Math.Min(last.Ticks * 2, Pause.Ticks)) : ShortPause;

    private void Add(string word)
    {
        if (!database.Options.UseNotifications)
        {
            return;
        }

        lock (_lock)
        {
            _pending.Add(word);
            if (_sending)
            {
                return;
            }

            _sending = true;
        }

        // Do not send on the thread that stored the work: its caller's answer and this process's claimers come first.
        ThreadPool.UnsafeQueueUserWorkItem(static sender => _ = sender.SendAllAsync(), this, preferLocal: false);
    }

    private async Task SendAllAsync()
    {
        while (true)
        {
            string[] words;
            lock (_lock)
            {
                if (_pending.Count == 0)
                {
                    _sending = false;
                    return;
                }

                words = [.. _pending];
                _pending = new HashSet<string>(StringComparer.Ordinal);
            }

            _pause = PauseAfter(_pause, _sentAt is { } sent ? time.GetElapsedTime(sent) : null);
            try
            {
                await database.SendAsync(HintSql.Send, [Arg.Text(database.Channel),
                    Arg.Array(words, NpgsqlDbType.Text)], CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception)
            {
                // If a hint is lost, polling finds the entries. The caller already has its answer.
            }

            _sentAt = time.GetTimestamp();
            await Task.Delay(_pause, time, CancellationToken.None).ConfigureAwait(false);
        }
    }
}
