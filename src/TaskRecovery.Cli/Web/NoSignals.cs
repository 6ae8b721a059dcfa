using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Cli.Web;

/// <summary>A lifetime that handles no signals: the command's token ends the site. That of a console would cancel each signal, after the
/// handler that lets the second one end the process (<see cref="Commands.Interruption"/>).</summary>
internal sealed class NoSignals : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
