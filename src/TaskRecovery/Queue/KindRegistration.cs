using TaskRecovery.Workers;

namespace TaskRecovery.Queue;

/// <summary>A kind as it was registered. What it is bound to belongs to one host and lives in <see cref="KindRegistry"/>.</summary>
internal sealed record KindRegistration
{
    /// <summary>The stored name.</summary>
    public required string Kind { get; init; }

    /// <summary>The type its arguments are written and read as.</summary>
    public required Type ArgsType { get; init; }

    /// <summary>Who works it; <see langword="null"/> if this process only enqueues it.</summary>
    public Type? WorkerType { get; init; }

    /// <summary>Makes what runs it in one host; <see langword="null"/> if this process only enqueues it.</summary>
    public Func<IServiceProvider, KindRunner>? CreateRunner { get; init; }

    /// <summary>Whether enqueueing an <see cref="ArgsType"/> means this kind. Off for the entries of tasks, whose kinds share a type.</summary>
    public bool IsEnqueuedByType { get; init; } = true;

    /// <summary>Whether its entries run tasks, whose records end with them.</summary>
    public bool IsTask { get; init; }

    /// <summary>Attempts, limits and waits.</summary>
    public WorkerOptions Options { get; init; } = new();

    /// <summary>Whether both say the same, so that registering the second changes nothing.</summary>
    public bool IsSameAs(KindRegistration other)
        => Kind == other.Kind && ArgsType == other.ArgsType && (WorkerType == other.WorkerType || WorkerType is null || other.WorkerType is null)
            && IsEnqueuedByType == other.IsEnqueuedByType;
}
