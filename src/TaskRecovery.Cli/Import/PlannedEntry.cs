using System.Text.Json;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Import;

/// <summary>An entry to create.</summary>
internal sealed record PlannedEntry(string Kind, JsonElement Args, string? Queue, DateTimeOffset? RunAt)
{
    private const int MostShown = 200;

    public override string ToString()
        => $"entry of '{Kind}' in queue '{Queue ?? "default"}', {(RunAt is { } time ? $"at {Format.Time(time)}" : "now")}: {Shown(Args)}";

    /// <summary>The arguments for a line.</summary>
    internal static string Shown(JsonElement args)
    {
        var text = args.GetRawText();
        return text.Length > MostShown ? $"{text[..MostShown]}..." : text;
    }
}
