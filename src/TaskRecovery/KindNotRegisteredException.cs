namespace TaskRecovery;

/// <summary>No kind is registered for an arguments type. Register it with <c>AddWorker</c>, or with <c>AddKind</c> in a process that only
/// enqueues.</summary>
public sealed class KindNotRegisteredException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public KindNotRegisteredException(Type argsType)
        : base($"No kind is registered for {argsType}. Call AddWorker<{argsType?.Name}, TWorker>() where it is worked, "
            + $"or AddKind<{argsType?.Name}>() where it is only enqueued.")
        => ArgsType = argsType!;

    /// <summary>The arguments type.</summary>
    public Type ArgsType { get; }
}
