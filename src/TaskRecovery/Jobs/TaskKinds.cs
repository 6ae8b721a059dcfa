using System.Reflection;

namespace TaskRecovery.Jobs;

/// <summary>A kind of task that this process has a handler for.</summary>
internal sealed record TaskKind(Type ArgsType, string Kind, WorkerOptions Options);

/// <summary>Which kind of task an arguments type stands for, and which kind its entries have.</summary>
/// <remarks>Entries of jobs have kinds of their own (<c>task:mail.digest</c>), so that a node claims only runs that it has a handler for, and a worker
/// and a task handler may share one arguments type.</remarks>
internal sealed class TaskKinds
{
    private readonly Dictionary<Type, TaskKind> _byType = [];

    public TaskKinds(IEnumerable<TaskKind> registered)
    {
        foreach (var kind in registered)
        {
            _byType[kind.ArgsType] = kind;
        }
    }

    /// <summary>The kind of the entries that run tasks of a kind.</summary>
    public static string EntryKind(string kind) => "task:" + kind;

    /// <summary>The kind named by <see cref="JobKindAttribute"/>, if it is there.</summary>
    public static string? Named(Type argsType) => argsType.GetCustomAttribute<JobKindAttribute>()?.Name;

    /// <summary>Finds the kind for an arguments type.</summary>
    /// <remarks>A process that only declares jobs needs no handler: the attribute on the type is enough.</remarks>
    /// <exception cref="KindNotRegisteredException">There is neither a handler nor an attribute.</exception>
    public TaskKind Find(Type argsType)
    {
        if (_byType.TryGetValue(argsType, out var registered))
        {
            return registered;
        }

        return Named(argsType) is { } name ? new TaskKind(argsType, name, new WorkerOptions()) : throw new KindNotRegisteredException(argsType);
    }
}
