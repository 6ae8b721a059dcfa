using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Where a walk over the history goes on, oldest entry first, and how far it goes at once: for a store that has no index by when runs ended.</summary>
/// <remarks>
/// Entries are numbered as they were created, and kept by when they ended: what is old enough may stand behind any number of those that ended late, and a walk ends at what was created too late to
/// be old enough. From the front it follows what there is to remove; then it goes on where the last round stopped, and looks at so much in vain in a round, however much is kept.
/// So what should be gone is at most a tenth of what is kept, or what came while the walk went round once.
/// </remarks>
[Experimental("TASKRECOVERY001")]
public sealed class HistoryWalk
{
    /// <summary>How many rows to look at in a step: a few steps a second keep up with any queue, and no row is locked for long.</summary>
    public const int Chunk = 5_000;

    /// <summary>A step that removes fewer than this was in vain.</summary>
    public const int Worthwhile = Chunk / 10;

    // A hundred thousand rows a round, which take a fraction of a second.
    private const int MostInVain = 20;

    private long _resume;
    private bool _isPastFront;
    private int _inVain;

    /// <summary>Look at what comes after this entry.</summary>
    public long After { get; private set; }

    /// <summary>Whether the round is over.</summary>
    public bool IsResting { get; private set; } = true;

    /// <summary>Starts a round.</summary>
    public void Begin() => (After, IsResting, _isPastFront, _inVain) = (0, false, false, 0);

    /// <summary>Ends the round, also where another node has its turn. The next one comes back to this place.</summary>
    public void Rest() => (_resume, IsResting) = (Math.Max(_resume, After), true);

    /// <summary>Goes on after a step.</summary>
    /// <param name="last">The last entry that it looked at.</param>
    /// <param name="removed">How many it removed.</param>
    /// <param name="isEnd">Whether nothing after it can be old enough: there is nothing, or its last entry was created too late.</param>
    public void GoOn(long last, long removed, bool isEnd)
    {
        if (isEnd)
        {
            (_resume, IsResting) = (0, true);
        }
        else if (removed >= Worthwhile)
        {
            After = last;
        }
        else if (!_isPastFront)
        {
            (After, _isPastFront) = (Math.Max(last, _resume), true);
        }
        else
        {
            After = last;
            if (++_inVain == MostInVain)
            {
                Rest();
            }
        }
    }
}
