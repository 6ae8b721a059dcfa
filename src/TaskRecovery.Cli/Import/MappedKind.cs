namespace TaskRecovery.Cli.Import;

/// <summary>What the work of a type becomes.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Names">The names of the arguments; <see langword="null"/> if none are given.</param>
internal sealed record MappedKind(string Kind, IReadOnlyList<string>? Names)
{
    private const string Whole = "*";

    /// <summary>Whether the only argument becomes the arguments of the entry as it is.</summary>
    public bool IsWhole => Names is [Whole];
}
