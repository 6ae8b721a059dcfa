using System.Collections.Frozen;
using TaskRecovery.Kinds;

namespace TaskRecovery.Workers;

/// <summary>The kinds that this host runs, each with its runner.</summary>
internal sealed class KindRunners
{
    private readonly FrozenDictionary<string, Lazy<WorkedKind>> _byKind;

    public KindRunners(KindRegistry kinds, IEnumerable<RunnerRegistration> registrations, IServiceProvider services)
    {
        // A kind that was registered twice has equivalent runners: the last one is used.
        var created = new Dictionary<string, Func<IServiceProvider, KindRunner>>(StringComparer.Ordinal);
        foreach (var registration in registrations)
        {
            created[registration.Kind] = registration.Create;
        }

        _byKind = kinds.WorkedKinds.ToFrozenDictionary(
            static kind => kind,
            kind => new Lazy<WorkedKind>(() => new WorkedKind(kinds.Find(kind)!, created[kind](services))),
            StringComparer.Ordinal);
    }

    /// <summary>Whether a kind of this host begins anything before its entries have a slot.</summary>
    public bool AnyBeginsEarly { get; private set; }

    /// <summary>Creates all runners at start instead of with the first entry, because a host that is being disposed can't create
    /// them.</summary>
    public void Create()
    {
        foreach (var kind in _byKind.Values)
        {
            AnyBeginsEarly |= kind.Value.Runner.BeginsEarly;
        }
    }

    /// <summary>Returns a kind with its runner; <see langword="null"/> if this process does not run the kind.</summary>
    public WorkedKind? Find(string kind) => _byKind.GetValueOrDefault(kind)?.Value;
}
