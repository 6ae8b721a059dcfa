using System.Text.Json.Serialization;

namespace TaskRecovery.Cli.Import;

/// <summary>A method call in one of the two forms in which Hangfire stores it.</summary>
internal sealed record StoredHangfireCall
{
    public string? Type { get; init; }

    public string? Method { get; init; }

    /// <summary>A JSON array of texts, as a text.</summary>
    public string? ParameterTypes { get; init; }

    /// <summary>A JSON array of texts, as a text.</summary>
    public string? Arguments { get; init; }

    public string? Queue { get; init; }

    /// <summary>The type in the short form, as the following members.</summary>
    [JsonPropertyName("t")]
    public string? ShortType { get; init; }

    [JsonPropertyName("m")]
    public string? ShortMethod { get; init; }

    [JsonPropertyName("p")]
    public string[]? ShortParameterTypes { get; init; }

    [JsonPropertyName("a")]
    public string?[]? ShortArguments { get; init; }

    [JsonPropertyName("q")]
    public string? ShortQueue { get; init; }
}
