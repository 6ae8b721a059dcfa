using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>Claims whose entries all have an outcome. They are removed in the background and in batches, because no caller waits for it;
/// the store checks each claim itself.</summary>
internal sealed class SettledClaims(IEntryStore store, ILogger<SettledClaims> logger)
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

    /// <summary>Removes the claims that are settled by now. Failed removals are retried at the next call; the claims of a dead node are
    /// left to the sweep.</summary>
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
