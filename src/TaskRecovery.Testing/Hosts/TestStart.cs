using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Testing.Hosts;

/// <summary>Creates the test with the host, so that it is disposed with the host even if no test has asked for it.</summary>
internal sealed class TestStart(TaskRecoveryTest test) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        GC.KeepAlive(test);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
