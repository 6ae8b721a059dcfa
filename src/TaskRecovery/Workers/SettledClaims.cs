using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>Claims in which every entry has an outcome. They are removed in the background, many at once: nobody waits for it, and the store checks each one itself.</summary>
internal sealed class SettledClaims(IQueueStore store, ILogger<SettledClaims> logger)
{
    private readonly Lock _gate = new();
    private readonly OutageReporter _state = new("removal of settled claims", logger);
    private Dictionary<Node, List<long>> _fences = [];

    public void Add(Node life, long fence)
    {
        lock (_gate)
        {
            if (!_fences.TryGetValue(life, out var fences))
            {
                _fences[life] = fences = [];
            }

            fences.Add(fence);
        }
    }

    /// <summary>Removes what is settled by now. What fails is tried again the next time; a dead node's claims are the sweep's.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        Dictionary<Node, List<long>> batch;
        lock (_gate)
        {
            if (_fences.Count == 0)
            {
                return;
            }

            batch = _fences;
            _fences = [];
        }

        foreach (var (life, fences) in batch)
        {
            if (life.End is NodeEnd.DeclaredDead or NodeEnd.WentBackInTime)
            {
                continue;
            }

            try
            {
                await store.RemoveSettledClaimsAsync(life.Id, fences, cancellationToken).ConfigureAwait(false);
                _state.Succeeded();
            }
            catch (Exception exception)
            {
                if (!cancellationToken.IsCancellationRequested)
                {
                    _state.Failed(exception);
                }

                fences.ForEach(fence => Add(life, fence));
            }
        }
    }
}
