using TaskRecovery.Kinds;
using TaskRecovery.Storage;

namespace TaskRecovery.Jobs;

/// <summary>Maps an arguments type to its kind of task.</summary>
/// <remarks>Entries of jobs have their own kinds (<see cref="TaskEntryKind"/>), so that a node claims only runs for which it has a
/// handler, and a worker and a task handler can share one arguments type.</remarks>
internal sealed class TaskKinds(IEnumerable<TaskKind> registered, KindRegistrations entries, WorkerSettings settings)
{
    private readonly Dictionary<Type, TaskKind> _byType = registered.ToDictionary(
        static kind => kind.ArgsType, kind => kind with { Options = settings.Of(kind.Kind, kind.Configure, kind.ArgsType) });

    /// <summary>Finds the kind for an arguments type.</summary>
    /// <remarks>A process that only declares jobs needs no handler: <c>AddKind</c>, or the attribute on the type, is enough.</remarks>
    /// <exception cref="KindNotRegisteredException">The type has no kind.</exception>
    public TaskKind Find(Type argsType)
    {
        if (_byType.TryGetValue(argsType, out var handled))
        {
            return handled;
        }

        var added = entries.All.FirstOrDefault(kind => kind.IsEnqueuedByType && kind.ArgsType == argsType);
        if (added is null && !argsType.IsDefined(typeof(JobKindAttribute), inherit: false))
        {
            throw KindNotRegisteredException.OfJob(argsType);
        }

        return new TaskKind(argsType, added?.Kind ?? KindRegistrations.NameOf(argsType, null)) { IsHandled = false };
    }
}
