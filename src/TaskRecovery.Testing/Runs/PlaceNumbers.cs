using TaskRecovery.Workers;

namespace TaskRecovery.Testing.Runs;

/// <summary>Numbers the checkpoints and resets of one run. Not thread-safe.</summary>
internal sealed class PlaceNumbers
{
    private readonly Dictionary<RunPlace, int> _last = [];

    /// <summary>The place that the run has reached.</summary>
    public Place Next(RunPlace place, string? step)
    {
        if (place is not (RunPlace.CheckpointBegins or RunPlace.CheckpointStored or RunPlace.ResetBegins or RunPlace.ResetStored))
        {
            return Place.Of(place, step, 0);
        }

        return Place.Of(place, step, _last[place] = _last.GetValueOrDefault(place) + 1);
    }
}
