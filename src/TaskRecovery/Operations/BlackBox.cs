namespace TaskRecovery;

/// <summary>What was known of a node when it died with a run.</summary>
public sealed record BlackBox
{
    /// <summary>The step that the handler was in at the last heartbeat; <see langword="null"/> if it was in none, or if it is not
    /// known.</summary>
    public string? Step { get; init; }

    /// <summary>How old the last stored step or checkpoint was when the node was declared dead; <see langword="null"/> if the run had
    /// stored none.</summary>
    public TimeSpan? ProgressAge { get; init; }

    /// <summary>The state of the node's process at its last heartbeat; <see langword="null"/> if it is not known.</summary>
    public NodeVitals? Vitals { get; init; }

    /// <summary>Other entries that ran on the node, as far as they are known, at most 20.</summary>
    public IReadOnlyList<long> RanBeside { get; init; } = [];

    /// <summary>How the death was established.</summary>
    public DeathProof Proof { get; init; }

    /// <summary>The node that declared the death; <see langword="null"/> if it is not known.</summary>
    public string? DeclaredBy { get; init; }
}
