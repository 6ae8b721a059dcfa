namespace TaskRecovery;

/// <summary>A pause of a queue, a kind or a job: since when, who paused it, why, and until when.</summary>
public sealed record PauseInfo
{
    /// <summary>When the pause began, by the database's clock; <see langword="null"/> if it is not known.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Who paused it; <see langword="null"/> if it is not known.</summary>
    public string? Actor { get; init; }

    /// <summary>Why it was paused; <see langword="null"/> if no reason was given.</summary>
    public string? Reason { get; init; }

    /// <summary>When the pause ends by itself; <see langword="null"/> if it lasts until it is resumed.</summary>
    public DateTimeOffset? Until { get; init; }
}
