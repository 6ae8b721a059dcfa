using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Divides steps and checkpoints into the statements that store them: steps, checkpoints of entries, checkpoints of tasks. Nearly
/// always it is one statement.</summary>
internal sealed class ProgressBatch
{
    private readonly IReadOnlyList<ProgressWrite> _writes;
    private readonly List<List<int>> _places = [];
    private readonly Dictionary<ProgressKey, int> _lastCheckpoints = [];

    /// <param name="nodeId">The node that holds the claims.</param>
    /// <param name="writes">What to store.</param>
    /// <param name="skipsStored">Whether steps that are stored already are skipped. If not, the statement of the steps fails then.</param>
    internal ProgressBatch(Guid nodeId, IReadOnlyList<ProgressWrite> writes, bool skipsStored)
    {
        _writes = writes;
        List<int> steps = [], ofEntries = [], ofTasks = [];
        for (var place = 0; place < writes.Count; place++)
        {
            var write = writes[place];
            if (write.Step is not null)
            {
                steps.Add(place);
                continue;
            }

            var owner = OwnerOf(write);
            if (!_lastCheckpoints.TryGetValue(owner, out var last) || !IsLate(write, writes[last]))
            {
                _lastCheckpoints[owner] = place;
            }
        }

        foreach (var place in _lastCheckpoints.Values)
        {
            (writes[place].Key.TaskId is null ? ofEntries : ofTasks).Add(place);
        }

        Add(
            skipsStored ? StepSql.SaveStepsOnce : StepSql.SaveSteps,
            steps,
            places => [Tasks(places), Arg.Array(Each(places, static write => write.Step!), NpgsqlDbType.Text), Data(places)]);
        Add(StepSql.SaveCheckpointsOfEntries, ofEntries, places => [Data(places)]);
        Add(StepSql.SaveCheckpointsOfTasks, ofTasks, places => [Data(places), Tasks(places)]);

        void Add(string statement, List<int> places, Func<List<int>, NpgsqlParameter[]> args)
        {
            if (places.Count > 0)
            {
                _places.Add(places);
                Statements.Add(new Statement(
                    statement,
                    [
                        Arg.Uuid(nodeId), Arg.Array(Each(places, static write => write.Key.EntryId), NpgsqlDbType.Bigint),
                        Arg.Array(Each(places, static write => write.Fence), NpgsqlDbType.Bigint),
                        Arg.Array(Each(places, static write => write.Ordinal), NpgsqlDbType.Bigint), .. args(places),
                    ]));
            }
        }
    }

    /// <summary>The statements. Each returns one array: the numbers, from 1, of those of its writes whose claim is held.</summary>
    internal List<Statement> Statements { get; } = [];

    /// <summary>The places, in the list of all writes, of the writes of a statement.</summary>
    internal IReadOnlyList<int> PlacesOf(int statement) => _places[statement];

    /// <summary>Answers checkpoints that a later one of the same run has replaced like that one. Those of an older claim of their owner are
    /// not held.</summary>
    internal void ShareCheckpoints(bool[] held)
    {
        for (var place = 0; place < held.Length; place++)
        {
            if (_writes[place] is { Step: null } write)
            {
                var last = _lastCheckpoints[OwnerOf(write)];
                held[place] = held[last] && _writes[last].Fence == write.Fence;
            }
        }
    }

    // A checkpoint whose call was repeated may stand behind a later one of the same run, and one of a run that has lost its claim beside
    // one of the run after it.
    private static bool IsLate(ProgressWrite write, ProgressWrite other)
        => write.Fence < other.Fence
            || (write.Fence == other.Fence && write.Key.EntryId == other.Key.EntryId && write.Ordinal < other.Ordinal);

    // A task's checkpoint is one row, whichever entry runs the task.
    private static ProgressKey OwnerOf(ProgressWrite write) => write.Key.TaskId is null ? write.Key : write.Key with { EntryId = 0 };

    private NpgsqlParameter Data(List<int> places) => Arg.Array(Each(places, static write => write.Data), NpgsqlDbType.Text);

    private NpgsqlParameter Tasks(List<int> places)
    {
        var isNone = places.TrueForAll(place => _writes[place].Key.TaskId is null);
        return Arg.Array(isNone ? [] : Each(places, static write => write.Key.TaskId), NpgsqlDbType.Uuid);
    }

    private T[] Each<T>(List<int> places, Func<ProgressWrite, T> value)
    {
        var values = new T[places.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = value(_writes[places[i]]);
        }

        return values;
    }
}
