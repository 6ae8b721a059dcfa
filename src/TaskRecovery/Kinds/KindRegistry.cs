using System.Collections.Frozen;

namespace TaskRecovery.Kinds;

/// <summary>The kinds registered in one host.</summary>
internal sealed class KindRegistry
{
    private readonly FrozenDictionary<string, BoundKind> _byKind;
    private readonly FrozenDictionary<Type, BoundKind> _byArgsType;

    public KindRegistry(KindRegistrations registrations, IServiceProvider services)
    {
        var bound = registrations.All.Select(registration => new BoundKind(registration, services)).ToArray();
        _byKind = bound.ToFrozenDictionary(kind => kind.Name, StringComparer.Ordinal);
        _byArgsType = bound.Where(kind => kind.Registration.IsEnqueuedByType).ToFrozenDictionary(kind => kind.Registration.ArgsType);
        WorkedKinds = [.. bound.Where(kind => kind.Registration.IsWorked).Select(kind => kind.Name)];
    }

    /// <summary>The kinds with a worker in this process. Its node claims only these.</summary>
    public IReadOnlyList<string> WorkedKinds { get; }

    public BoundKind? Find(string kind) => _byKind.GetValueOrDefault(kind);

    /// <exception cref="KindNotRegisteredException">No kind is registered for the type.</exception>
    public BoundKind ForArgs(Type argsType)
        => _byArgsType.TryGetValue(argsType, out var kind) ? kind : throw new KindNotRegisteredException(argsType);
}
