namespace TaskRecovery.Kinds;

/// <summary>A kind as it was registered. Objects that belong to one host are kept in <see cref="KindRegistry"/>.</summary>
internal sealed record KindRegistration
{
    /// <summary>The name that is stored with entries.</summary>
    public required string Kind { get; init; }

    /// <summary>The arguments type.</summary>
    public required Type ArgsType { get; init; }

    /// <summary>The arguments type that selects the codec of the kind: for the entries of tasks, the one of the job.</summary>
    public Type PayloadType { get => field ?? ArgsType; init; }

    /// <summary>The worker type; <see langword="null"/> if this process only enqueues the kind.</summary>
    public Type? WorkerType { get; init; }

    /// <summary>Whether this process runs the entries of the kind. <c>KindRunners</c> has the runner.</summary>
    public bool IsWorked => WorkerType is not null;

    /// <summary>Whether enqueueing an <see cref="ArgsType"/> selects this kind. False for the entries of tasks, whose kinds share one
    /// arguments type.</summary>
    public bool IsEnqueuedByType { get; init; } = true;

    /// <summary>Whether the entries of the kind run tasks, whose records end together with the entries.</summary>
    public bool IsTask { get; init; }

    /// <summary>How many attempts <c>AddKind</c> gives the entries that this process enqueues; <see langword="null"/> if it sets
    /// none.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>Sets the options, after configuration; <see langword="null"/> if the code sets none.</summary>
    public Action<WorkerOptions>? Configure { get; init; }

    /// <summary>Sets what the code sets. If the kind has a worker here, its options win over those of <c>AddKind</c>.</summary>
    public void Apply(WorkerOptions options)
    {
        options.MaxAttempts = MaxAttempts ?? options.MaxAttempts;
        Configure?.Invoke(options);
    }

    /// <summary>Returns whether both registrations are equivalent, so that the second one may be ignored or may complete the
    /// first.</summary>
    public bool IsSameAs(KindRegistration other)
        => Kind == other.Kind && ArgsType == other.ArgsType
            && (WorkerType == other.WorkerType || WorkerType is null || other.WorkerType is null)
            && IsEnqueuedByType == other.IsEnqueuedByType;
}
