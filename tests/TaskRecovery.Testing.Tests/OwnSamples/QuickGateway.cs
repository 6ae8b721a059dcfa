using System.Collections.Concurrent;
using TaskRecovery.WebSample;

namespace TaskRecovery.Testing.Tests.OwnSamples;

/// <summary>The services of others, which answer at once and remember what they were asked.</summary>
internal sealed class QuickGateway() : Gateway(TimeProvider.System)
{
    private readonly ConcurrentQueue<string> _calls = new();

    public IReadOnlyCollection<string> Calls => _calls;

    public override Task CallAsync(string what, int milliseconds, int failures, CancellationToken cancellationToken)
    {
        _calls.Enqueue(what);
        return Task.CompletedTask;
    }
}
