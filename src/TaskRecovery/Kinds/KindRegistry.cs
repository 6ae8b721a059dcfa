using System.Collections.Concurrent;
using System.Collections.Frozen;
using TaskRecovery.Rules;

namespace TaskRecovery.Kinds;

/// <summary>The kinds registered in one host, and those that it enqueues by the attributes of their types.</summary>
internal sealed class KindRegistry
{
    private readonly IServiceProvider _services;
    private readonly OtherInstances _others;
    private readonly FrozenDictionary<string, BoundKind> _byKind;
    private readonly FrozenDictionary<Type, BoundKind> _byArgsType;
    private readonly ConcurrentDictionary<string, BoundKind> _attributed = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Type, BoundKind> _attributedByType = new();

    public KindRegistry(KindRegistrations registrations, OtherInstances others, IServiceProvider services)
    {
        _services = services;
        _others = others;
        var bound = registrations.All.Select(registration => new BoundKind(registration, services)).ToArray();
        _byKind = bound.ToFrozenDictionary(kind => kind.Name, StringComparer.Ordinal);
        _byArgsType = bound.Where(kind => kind.Registration.IsEnqueuedByType).ToFrozenDictionary(kind => kind.Registration.ArgsType);
        WorkedKinds = [.. bound.Where(kind => kind.Registration.IsWorked).Select(kind => kind.Name)];
    }

    /// <summary>The kinds with a worker in this process. Its node claims only these.</summary>
    public IReadOnlyList<string> WorkedKinds { get; }

    public BoundKind? Find(string kind) => _byKind.GetValueOrDefault(kind);

    /// <summary>Finds the kind of an arguments type: the registered one, otherwise the one of its attribute.</summary>
    /// <exception cref="KindNotRegisteredException">The type has neither. Or it is not registered, and only a task handler runs it.
    /// Or it has only the attribute, and another instance of this process runs the kind.</exception>
    /// <exception cref="ArgumentException">The attribute's name is invalid.</exception>
    /// <exception cref="InvalidOperationException">Another type has the kind of the attribute.</exception>
    public BoundKind ForArgs(Type argsType)
        => _byArgsType.TryGetValue(argsType, out var kind) || _attributedByType.TryGetValue(argsType, out kind)
            ? kind
            : AddAttributed(argsType);

    // If the process has a task handler for the type, the caller most likely wants a job: no worker would run the entry.
    private BoundKind AddAttributed(Type argsType)
    {
        if (_byKind.Values.Any(kind => kind.Registration.IsTask && kind.Registration.PayloadType == argsType))
        {
            throw KindNotRegisteredException.OfTaskHandler(argsType);
        }

        if (!argsType.IsDefined(typeof(JobKindAttribute), inherit: false))
        {
            throw new KindNotRegisteredException(argsType);
        }

        var registration = new KindRegistration { Kind = KindRegistrations.NameOf(argsType, kind: null), ArgsType = argsType };
        NameRules.Kind.Check(registration.Kind, "The kind", nameof(argsType));
        var registered = Find(registration.Kind);
        if (registered is null && _others.FindRunning(registration.Kind) is { } other)
        {
            throw new KindNotRegisteredException(argsType, other.Name);
        }

        var kind = registered
            ?? _attributed.GetOrAdd(
                registration.Kind, static (_, added) => new BoundKind(added.Registration, added.Services),
                (Registration: registration, Services: _services));
        if (kind.Registration.ArgsType != argsType)
        {
            throw KindRegistrations.Twice(kind.Registration, registration);
        }

        _attributedByType[argsType] = kind;
        return kind;
    }
}
