using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace TaskRecovery.Instances;

/// <summary>Starts and stops the hosted services of a named instance, in the order in which a host starts and stops its own.</summary>
internal sealed class NamedInstanceHost(NamedInstance instance, InstanceStarts starts, int group)
    : BackgroundService, IHostedLifecycleService
{
    private IHostedService[] _services = [];
    private bool _isStarting;

    /// <summary>Instances of one group start side by side.</summary>
    public int Group => group;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _isStarting = true;
        return starts.StartAsync(this, cancellationToken);
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!_isStarting)
        {
            await StartingAsync(cancellationToken).ConfigureAwait(false);
        }

        foreach (var service in _services)
        {
            await service.StartAsync(cancellationToken).ConfigureAwait(false);
        }

        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        foreach (var service in _services.OfType<IHostedLifecycleService>())
        {
            await service.StartedAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
        => StopAllAsync(_services.OfType<IHostedLifecycleService>(), service => service.StoppingAsync(cancellationToken));

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await StopAllAsync(_services, service => service.StopAsync(cancellationToken)).ConfigureAwait(false);
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
    }

    public Task StoppedAsync(CancellationToken cancellationToken)
        => StopAllAsync(_services.OfType<IHostedLifecycleService>(), service => service.StoppedAsync(cancellationToken));

    /// <summary>Checks the options and calls <c>StartingAsync</c> of the instance's services.</summary>
    internal async Task StartingOnceAsync(CancellationToken cancellationToken)
    {
        instance.Services.GetService<IStartupValidator>()?.Validate();
        _services = [.. instance.Services.GetServices<IHostedService>()];
        foreach (var service in _services.OfType<IHostedLifecycleService>())
        {
            await service.StartingAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    // If a background service of the instance fails, this one fails, and the host does what it does for its own.
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var ended in Task.WhenEach(_services.OfType<BackgroundService>().Select(
                static service => service.ExecuteTask ?? Task.CompletedTask)).WithCancellation(stoppingToken).ConfigureAwait(false))
            {
                await ended.ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // If the service is disposed without having been stopped, the host would treat the cancelled task as a failure, log it as
            // critical and stop the application.
        }
    }

    // In reverse order, each of them even if another one fails.
    private static async Task StopAllAsync<T>(IEnumerable<T> services, Func<T, Task> stop)
    {
        List<Exception>? failures = null;
        foreach (var service in services.Reverse())
        {
            try
            {
                await stop(service).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                (failures ??= []).Add(exception);
            }
        }

        if (failures is not null)
        {
            throw new AggregateException("Services of an instance did not stop.", failures);
        }
    }
}
