namespace TaskRecovery.Cli.Import;

/// <summary>One thing of the other system: what it becomes here, or why it can't be imported.</summary>
/// <param name="Id">The id, unique within the source.</param>
/// <param name="Name">What it is called in lines for people, such as <c>job 12</c>.</param>
internal sealed record ImportItem(string Id, string Name)
{
    /// <summary>The entry that it becomes.</summary>
    public PlannedEntry? Entry { get; init; }

    /// <summary>The job that it becomes.</summary>
    public PlannedJob? Job { get; init; }

    /// <summary>How many attempts it has, unless the user says otherwise. The command does not know the worker or handler that will run it,
    /// nor its options.</summary>
    public int MaxAttempts { get; init; } = 10;

    /// <summary>Why it can't be imported; <see langword="null"/> if it can.</summary>
    public string? Refusal { get; init; }
}
