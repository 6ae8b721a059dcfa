using NpgsqlTypes;

namespace TaskRecovery.PostgreSql;

/// <summary>Sends hints after a commit: the first at once, further ones at most once every few milliseconds, without repetitions.</summary>
/// <remarks>A NOTIFY in every transaction would halve the throughput of the server, because commits that notify wait for each
/// other.</remarks>
internal sealed partial class HintSender(PostgreSqlDatabase database, TimeProvider time)
{
    // On Linux, the clock of the runtime's timers moves every 4 ms, so a pause takes up to 4 ms more than it should.
    private static readonly TimeSpan ShortPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongPause = TimeSpan.FromMilliseconds(4);

    private readonly Lock _lock = new();
    private HashSet<string> _pending = new(StringComparer.Ordinal);
    private bool _sending;

    /// <summary>The mark by which this process recognizes its own hints.</summary>
    internal string Mark { get; } = HintText.NewMark();

    /// <summary>Announces work in a queue.</summary>
    internal void Work(string queue) => Add(HintText.Work(queue));

    /// <summary>Announces work in a queue to other processes; this process's claimers are woken without a hint.</summary>
    internal void WorkForOthers(string queue) => Add(HintText.WorkForOthers(Mark, queue));

    /// <summary>Announces that a cancellation was requested, or that a queue was paused or resumed.</summary>
    internal void Control() => Add(HintText.Control);

    /// <summary>How long to wait after a hint before the next one.</summary>
    /// <param name="last">The pause before this hint, if it had to wait for the end of that pause; <see langword="null"/> if it was sent at
    /// once.</param>
    internal static TimeSpan PauseAfter(TimeSpan? last)
        => last is { } pause ? TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongPause.Ticks)) : ShortPause;

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
        for (TimeSpan? pause = null; ;)
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

            pause = PauseAfter(pause);
            try
            {
                await database.SendAsync(HintSql.Send, [Arg.Text(database.Channel),
                    Arg.Array(words, NpgsqlDbType.Text)], CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception)
            {
                // If a hint is lost, polling finds the entries. The caller already has its answer.
            }

            await Task.Delay(pause.Value, time, CancellationToken.None).ConfigureAwait(false);
        }
    }
}
