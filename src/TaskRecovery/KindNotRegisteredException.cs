namespace TaskRecovery;

/// <summary>No kind is registered for an arguments type, and it has no <see cref="JobKindAttribute"/>, or only a task handler runs it.
/// Register it with <c>AddWorker</c>, or with <c>AddKind</c> in a process that only enqueues.</summary>
public sealed class KindNotRegisteredException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public KindNotRegisteredException(Type argsType)
        : base($"No kind is registered for {argsType}. Call AddWorker<{argsType?.Name}, TWorker>() where it is worked, "
            + $"or AddKind<{argsType?.Name}>() where it is only enqueued. A type with [JobKind] needs neither to be enqueued, "
            + "unless only a task handler runs it.")
        => ArgsType = argsType!;

    /// <summary>The arguments type.</summary>
    public Type ArgsType { get; }
}
