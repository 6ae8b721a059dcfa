using System.Collections.Frozen;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Workers;

namespace TaskRecovery.Queue;

/// <summary>The kinds that one host knows.</summary>
internal sealed class KindRegistry
{
    private readonly FrozenDictionary<string, BoundKind> _byKind;
    private readonly FrozenDictionary<Type, BoundKind> _byArgsType;

    public KindRegistry(KindRegistrations registrations, IServiceProvider services)
    {
        var bound = registrations.All.Select(registration => new BoundKind(registration, services)).ToArray();
        _byKind = bound.ToFrozenDictionary(kind => kind.Name, StringComparer.Ordinal);
        _byArgsType = bound.Where(kind => kind.Registration.IsEnqueuedByType).ToFrozenDictionary(kind => kind.Registration.ArgsType);
        WorkedKinds = [.. bound.Where(kind => kind.Registration.CreateRunner is not null).Select(kind => kind.Name)];
    }

    /// <summary>The kinds that have a worker in this process: what its nodes claim.</summary>
    public IReadOnlyList<string> WorkedKinds { get; }

    /// <summary>Makes what runs the entries now, at the start, instead of with the first entry: a host that is being disposed could not make it any more.</summary>
    public void CreateRunners()
    {
        foreach (var kind in _byKind.Values)
        {
            _ = kind.Runner;
        }
    }

    public BoundKind? Find(string kind) => _byKind.GetValueOrDefault(kind);

    /// <exception cref="KindNotRegisteredException">The type is not registered.</exception>
    public BoundKind ForArgs(Type argsType)
        => _byArgsType.TryGetValue(argsType, out var kind) ? kind : throw new KindNotRegisteredException(argsType);
}

/// <summary>A kind bound to one host.</summary>
internal sealed class BoundKind(KindRegistration registration, IServiceProvider services)
{
    private readonly Lazy<KindRunner?> _runner = new(() => registration.CreateRunner?.Invoke(services));

    public string Name => Registration.Kind;

    public KindRegistration Registration { get; } = registration;

    public WorkerOptions Options { get; } = services.GetRequiredService<WorkerSettings>().Of(registration);

    /// <summary>What runs its entries; <see langword="null"/> if this process only enqueues it.</summary>
    public KindRunner? Runner => _runner.Value;
}
