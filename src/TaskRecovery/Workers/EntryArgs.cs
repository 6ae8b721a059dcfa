using System.Text.Json;
using TaskRecovery.Queue;

namespace TaskRecovery.Workers;

/// <summary>Deserializes stored arguments, and reports where they are invalid.</summary>
internal static class EntryArgs
{
    /// <exception cref="InvalidArgsException">The arguments can't be read.</exception>
    public static T Read<T>(EntryJson json, string kind, ReadOnlyMemory<byte> args)
    {
        try
        {
            return json.Read<T>(args)
                ?? throw new InvalidArgsException($"The arguments of '{kind}' are null, and {typeof(T)} is wanted.", null);
        }
        catch (JsonException exception)
        {
            throw new InvalidArgsException(
                $"The arguments of '{kind}' can't be read as {typeof(T)}, at {exception.Path ?? "$"}: {exception.Message}", exception);
        }
        catch (NotSupportedException exception)
        {
            throw new InvalidArgsException($"The arguments of '{kind}' can't be read as {typeof(T)}: {exception.Message}", exception);
        }
    }
}
