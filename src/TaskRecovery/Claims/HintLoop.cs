using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Claims;

/// <summary>Listens for the store's hints while it is this node's turn, and wakes the claimers and the poll. A missed hint costs time only,
/// because the poll finds what it was about.</summary>
internal sealed class HintLoop
{
    private readonly IReadOnlyDictionary<string, QueueWorker> _queues;
    private readonly PollLoop _poll;
    private readonly IClaimWaker _waker;
    private readonly WorkServices _services;
    private readonly LoopHealth _health;

    public HintLoop(IReadOnlyDictionary<string, QueueWorker> queues, PollLoop poll, IClaimWaker waker, WorkServices services)
    {
        _queues = queues;
        _poll = poll;
        _waker = waker;
        _services = services;

        // A pooler may make listening impossible for ever; that only delays work, so it is no problem of the process's health.
        _health = services.Outages.Watch("notifications", isListed: false);
    }

    /// <summary>Listens until it is cancelled. Survives every error of the store.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var turn = CancellationToken.None;
            try
            {
                await _services.CurrentNode.WaitForLeaseAsync(cancellationToken).ConfigureAwait(false);
                turn = await _services.Turns.WaitAsync(cancellationToken).ConfigureAwait(false);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(turn, cancellationToken);
                await _services.Signals.ListenAsync(OnHint, either.Token).ConfigureAwait(false);
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception) when (turn.IsCancellationRequested)
            {
                _services.Polls.Listens(false);
                continue;
            }
            catch (Exception exception)
            {
                _services.Turns.ListenFailed();
                _health.Failed(exception);
            }

            _services.Polls.Listens(false);
            var wait = Backoff.OfCalls.After(_health.Failures, Random.Shared.NextDouble());
            await Task.Delay(wait, _services.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void OnHint(StoreHint hint)
    {
        switch (hint.Kind)
        {
            case StoreHintKind.Work when hint.Queue is { } name:
                if (_queues.TryGetValue(name, out var queue))
                {
                    queue.Claimer.WakeByHint();
                }

                break;
            case StoreHintKind.Control:
                _poll.PollNow();
                break;
            case StoreHintKind.Connected:
                _health.Succeeded();
                _services.Turns.ListenSucceeded();
                _services.Polls.Listens(true);
                _waker.WakeAll();
                break;
            default:
                _waker.WakeAll();
                break;
        }
    }
}
