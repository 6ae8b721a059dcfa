using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Claims;

/// <summary>How long the poll loop of a node waits. If the store reports every change with a hint, a node that has nothing to do polls
/// less often, because a poll wakes several threads of an idle process.</summary>
internal sealed class PollPace(StoreTraits traits)
{
    private volatile bool _listens;
    private volatile bool _rests;
    private volatile bool _workBegan;

    /// <summary>Set to poll at once.</summary>
    public Signal Now { get; } = new();

    /// <summary>Whether the loop waits longer than usual.</summary>
    internal bool Rests => _rests;

    /// <summary>Whether entries were claimed since <see cref="ForgetWork"/>.</summary>
    public bool HasWorkBegun => _workBegan;

    /// <summary>Begins to watch for claimed entries.</summary>
    public void ForgetWork() => _workBegan = false;

    /// <summary>Records whether hints arrive.</summary>
    public void Listens(bool listens) => _listens = listens;

    /// <summary>Returns the wait before the next poll.</summary>
    /// <param name="isIdle">Returns whether the node has nothing to do. Called after the rest was announced, so that work which begins
    /// meanwhile ends it.</param>
    /// <param name="nextDue">The time until the next entry is due; <see langword="null"/> if there is none.</param>
    public TimeSpan Wait(Func<bool> isIdle, TimeSpan? nextDue)
    {
        if (!_listens || traits.IdlePollInterval is not { } longest)
        {
            return traits.PollInterval;
        }

        _rests = true;
        if (!isIdle())
        {
            _rests = false;
            return traits.PollInterval;
        }

        var wait = nextDue < longest ? nextDue.Value : longest;
        return wait > traits.PollInterval ? wait : traits.PollInterval;
    }

    /// <summary>Ends a long wait, because entries were claimed.</summary>
    public void WorkBegan()
    {
        _workBegan = true;
        if (_rests)
        {
            _rests = false;
            Now.Set();
        }
    }
}
