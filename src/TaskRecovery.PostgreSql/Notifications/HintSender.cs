using NpgsqlTypes;

namespace TaskRecovery.PostgreSql;

/// <summary>Sends hints after a commit: the first at once, then at most once every few milliseconds, each thing once.</summary>
/// <remarks>A NOTIFY in every transaction halves what a server can store; commits that notify wait for each other.</remarks>
internal sealed partial class HintSender(PostgreSqlDatabase database, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly Lock _lock = new();
    private HashSet<string> _pending = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, PendingHint> _uncommitted = [];
    private bool _sending;
    private bool _watching;

    /// <summary>By which this process knows its own hints.</summary>
    internal string Mark { get; } = HintText.NewMark();

    /// <summary>There is work in a queue.</summary>
    internal void Work(string queue) => Add(HintText.Work(queue));

    /// <summary>There is work in a queue, and this process's own claimers hear of it without a hint.</summary>
    internal void WorkForOthers(string queue) => Add(HintText.WorkForOthers(Mark, queue));

    /// <summary>A cancel was requested, or a queue paused or resumed.</summary>
    internal void Control() => Add(HintText.Control);

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

        // Not on the thread of whoever stored the work: its answer, and this process's own claimers, come first.
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

            try
            {
                await database.SendAsync(HintSql.Send, [Arg.Text(database.Channel), Arg.Array(words, NpgsqlDbType.Text)], CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception)
            {
                // Polling finds what a lost hint would have told; whoever stored the work has its own answer already.
            }

            await Task.Delay(Pause, time, CancellationToken.None).ConfigureAwait(false);
        }
    }
}
