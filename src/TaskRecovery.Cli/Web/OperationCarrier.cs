using Microsoft.Extensions.Hosting;
using TaskRecovery.Cli.Errors;

namespace TaskRecovery.Cli.Web;

/// <summary>Carries out the bulk operations that were started in the dashboard, because no node may be running.</summary>
internal sealed class OperationCarrier(IQueueOperator operations) : BackgroundService
{
    private const int MaxListed = 20;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, TimeProvider.System);
        do
        {
            try
            {
                await CarryOutAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (Failure.IsNotReachable(exception))
            {
                // The pages show that the database can't be reached.
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    private async Task CarryOutAsync(CancellationToken cancellationToken)
    {
        var page = await operations.ListOperationsAsync(new OperationQuery { Limit = MaxListed }, cancellationToken).ConfigureAwait(false);
        foreach (var operation in page.Operations.Where(static one => one.State == OperationState.Running))
        {
            await CarryOutAsync(operation.Id, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task CarryOutAsync(long id, CancellationToken cancellationToken)
    {
        // Without progress, a node is doing the current step.
        for (var before = -1L; ;)
        {
            var operation = await operations.ContinueAsync(id, cancellationToken).ConfigureAwait(false);
            if (operation is not { State: OperationState.Running } || operation.Done + operation.Refused == before)
            {
                return;
            }

            before = operation.Done + operation.Refused;
        }
    }
}
