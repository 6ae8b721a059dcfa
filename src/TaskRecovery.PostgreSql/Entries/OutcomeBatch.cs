using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Converts outcomes to the array parameters of one statement.</summary>
internal static class OutcomeBatch
{
    internal static NpgsqlParameter[] ToArgs(Guid nodeId, IReadOnlyList<RunOutcome> outcomes, bool check)
    {
        var count = outcomes.Count;
        var (entries, fences, kinds, durations) = (new long[count], new long[count], new short[count], new int[count]);
        for (var i = 0; i < count; i++)
        {
            var outcome = outcomes[i];
            entries[i] = outcome.EntryId;
            fences[i] = outcome.Fence;
            kinds[i] = (short)outcome.Kind;
            durations[i] = (int)Math.Clamp(outcome.Duration.TotalMilliseconds, 0, int.MaxValue);
        }

        return
        [
            Arg.Uuid(nodeId),
            Arg.Array(entries, NpgsqlDbType.Bigint),
            Arg.Array(fences, NpgsqlDbType.Bigint),
            Arg.Array(kinds, NpgsqlDbType.Smallint),
            Arg.Array(durations, NpgsqlDbType.Integer),
            Arg.Array(Some(outcomes, static outcome => outcome.Result.IsEmpty ? null : Utf8.ToText(outcome.Result)), NpgsqlDbType.Text),
            Arg.Array(Some(outcomes, static outcome => Utf8.Storable(outcome.Error)), NpgsqlDbType.Text),
            Arg.Array(Some(outcomes, static outcome => outcome.Reason), NpgsqlDbType.Text),
            Arg.Array(
                Some(outcomes, static outcome => outcome.Delay == TimeSpan.Zero ? null : Arg.Span(outcome.Delay)), NpgsqlDbType.Interval),
            Arg.Bool(check),
        ];
    }

    private static T[] Some<T>(IReadOnlyList<RunOutcome> outcomes, Func<RunOutcome, T> value)
    {
        T[]? values = null;
        for (var i = 0; i < outcomes.Count; i++)
        {
            if (value(outcomes[i]) is { } some)
            {
                values ??= new T[outcomes.Count];
                values[i] = some;
            }
        }

        return values ?? [];
    }
}
