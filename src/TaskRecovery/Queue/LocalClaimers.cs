using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Queue;

/// <summary>The claimers of this process, by the name of their queue.</summary>
internal sealed class LocalClaimers
{
    private readonly ConcurrentDictionary<string, ILocalClaimer> _claimers = new(StringComparer.Ordinal);

    /// <summary>All claimers.</summary>
    public IEnumerable<ILocalClaimer> All => _claimers.Values;

    /// <summary>Registers the claimer of a queue.</summary>
    public void Register(string queue, ILocalClaimer claimer) => _claimers[queue] = claimer;

    /// <summary>Finds the claimer of a queue that this process serves.</summary>
    public bool TryFind(string queue, [NotNullWhen(true)] out ILocalClaimer? claimer) => _claimers.TryGetValue(queue, out claimer);
}
