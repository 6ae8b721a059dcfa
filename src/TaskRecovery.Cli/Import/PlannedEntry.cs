using System.Text.Json;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Import;

/// <summary>An entry to create.</summary>
internal sealed record PlannedEntry(string Kind, JsonElement Args, string? Queue, DateTimeOffset? RunAt)
{
    private const int MostShown = 200;

    /// <summary>The entry for a line.</summary>
    public string Describe(int maxAttempts)
        => $"entry of '{Kind}' in queue '{Queue ?? "default"}', {(RunAt is { } time ? $"at {Format.Time(time)}" : "now")}, "
            + $"{Attempts(maxAttempts)}: {Shown(Args)}";

    /// <summary>A number of attempts for a line.</summary>
    internal static string Attempts(int number) => number == 1 ? "1 attempt" : $"{Format.Number(number)} attempts";

    /// <summary>The arguments for a line.</summary>
    internal static string Shown(JsonElement args)
    {
        var text = args.GetRawText();
        return text.Length > MostShown ? $"{text[..MostShown]}..." : text;
    }
}
