using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The cursor of a purge that walks the history in id order, and the limit of work per round. For a store without an index on the
/// end time.</summary>
/// <remarks>
/// Ids follow creation time, but retention counts from the end, so expired entries can sit behind many entries that ended later. A walk
/// ends at the first entry that was created too recently to have expired; one with a creation time to come was stored while the clock was
/// ahead, and ends no walk. A round deletes from the front as long as that is productive, then resumes where the last round stopped, and
/// gives up after a fixed number of unproductive chunks, so its cost does not grow with the history. The expired entries that remain are
/// at most a tenth of the kept entries, plus those that expired during one full walk.
/// </remarks>
[Experimental("TASKRECOVERY001")]
public sealed class HistoryWalk
{
    /// <summary>The number of rows to examine in one step. Small enough not to hold row locks for long; a few steps per second keep up with
    /// any queue.</summary>
    public const int Chunk = 5_000;

    /// <summary>A step that removes fewer rows than this counts as unproductive.</summary>
    public const int Worthwhile = Chunk / 10;

    // Limits the unproductive part of a round to 100,000 rows, which take a fraction of a second.
    private const int MostInVain = 20;

    private long _resume;
    private bool _isPastFront;
    private int _inVain;

    /// <summary>The id after which the next step starts.</summary>
    public long After { get; private set; }

    /// <summary>Whether the round is over.</summary>
    public bool IsResting { get; private set; } = true;

    /// <summary>Starts a round.</summary>
    public void Begin() => (After, IsResting, _isPastFront, _inVain) = (0, false, false, 0);

    /// <summary>Ends the round, also when another node runs the purge. The next round resumes at this position.</summary>
    public void Rest() => (_resume, IsResting) = (Math.Max(_resume, After), true);

    /// <summary>Advances the cursor after a step.</summary>
    /// <param name="last">The id of the last entry that the step examined.</param>
    /// <param name="removed">The number of entries that the step removed.</param>
    /// <param name="isEnd">Whether no later entry can have expired, because there is none or <paramref name="last"/> was created too
    /// recently.</param>
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
