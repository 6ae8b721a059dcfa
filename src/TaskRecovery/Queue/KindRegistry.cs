using System.Collections.Frozen;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Configuration;
using TaskRecovery.Workers;

namespace TaskRecovery.Queue;

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
        WorkedKinds = [.. bound.Where(kind => kind.Registration.CreateRunner is not null).Select(kind => kind.Name)];
    }

    /// <summary>The kinds with a worker in this process. Its node claims only these.</summary>
    public IReadOnlyList<string> WorkedKinds { get; }

    /// <summary>Creates all runners at start instead of with the first entry, because a host that is being disposed can't create
    /// them.</summary>
    public void CreateRunners()
    {
        foreach (var kind in _byKind.Values)
        {
            _ = kind.Runner;
        }
    }

    public BoundKind? Find(string kind) => _byKind.GetValueOrDefault(kind);

    /// <exception cref="KindNotRegisteredException">No kind is registered for the type.</exception>
    public BoundKind ForArgs(Type argsType)
        => _byArgsType.TryGetValue(argsType, out var kind) ? kind : throw new KindNotRegisteredException(argsType);
}

/// <summary>A kind bound to one host.</summary>
internal sealed class BoundKind(KindRegistration registration, IServiceProvider services)
{
    private readonly Lazy<KindRunner?> _runner = new(() => registration.CreateRunner?.Invoke(services));

    public string Name => Registration.Kind;

    public KindRegistration Registration { get; } = registration;

    /// <summary>Encodes the payloads of the kind; <see langword="null"/> if it has no codec.</summary>
    public IPayloadCodec? Codec { get; } = services.GetRequiredService<PayloadCodecs>().Find(registration.PayloadType);

    public WorkerOptions Options { get; } = services.GetRequiredService<WorkerSettings>().Of(registration);

    /// <summary>The runner of the kind; <see langword="null"/> if this process only enqueues the kind.</summary>
    public KindRunner? Runner => _runner.Value;
}
