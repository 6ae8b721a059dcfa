namespace TaskRecovery;

/// <summary>No kind is registered for an arguments type, and it has no <see cref="JobKindAttribute"/>, or only a task handler runs it, or
/// another instance of TaskRecovery in this process runs it. Register it with <c>AddWorker</c>, or with <c>AddKind</c> in a process that
/// only enqueues.</summary>
public sealed class KindNotRegisteredException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public KindNotRegisteredException(Type argsType)
        : base($"No kind is registered for {argsType}. Call AddWorker<{argsType?.Name}, TWorker>() where it is worked, "
            + $"or AddKind<{argsType?.Name}>() where it is only enqueued. A type with [JobKind] needs neither to be enqueued.")
        => ArgsType = argsType!;

    /// <summary>Creates one for a type that was most likely meant for another instance.</summary>
    internal KindNotRegisteredException(Type argsType, string? runningInstance)
        : base($"{argsType} is not registered in the instance of TaskRecovery that this queue belongs to, but "
            + (runningInstance is null
                ? "the instance without a name runs it in this process: use IJobQueue without a key. "
                : $"the instance '{runningInstance}' runs it in this process: use [FromKeyedServices(\"{runningInstance}\")] IJobQueue, "
                    + "or context.Services.GetRequiredKeyedService<IJobQueue>(context.Instance) in a worker. ")
            + $"If it was meant for this instance and other processes run it, call AddKind<{argsType.Name}>() on its builder.")
        => ArgsType = argsType;

    private KindNotRegisteredException(string message, Type argsType)
        : base(message)
        => ArgsType = argsType;

    /// <summary>Creates one for an entry of a type that only a task handler runs. <c>AddKind</c> alone would store entries that wait for
    /// ever.</summary>
    internal static KindNotRegisteredException OfTaskHandler(Type argsType)
        => new(
            $"{argsType} is the arguments type of a task handler, which runs tasks of jobs and no entries. To run its job now, call "
            + $"IJobService.TriggerNowAsync. To enqueue it too, implement IJobWorker<{argsType.Name}> and call "
            + $"AddWorker<{argsType.Name}, TWorker>(); the class of the handler may implement both. If the worker is in another process, "
            + $"call AddKind<{argsType.Name}>() here.",
            argsType);

    /// <summary>Creates one for a job whose arguments type has no kind.</summary>
    internal static KindNotRegisteredException OfJob(Type argsType)
        => new(
            $"No kind of task is registered for {argsType}. Call AddTaskHandler<{argsType.Name}, THandler>() where its jobs run, "
            + $"or AddKind<{argsType.Name}>() where they are only created. A type with [JobKind] needs neither to create a job.",
            argsType);

    /// <summary>The arguments type.</summary>
    public Type ArgsType { get; }
}
