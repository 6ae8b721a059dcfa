namespace TaskRecovery.WebSample;

/// <summary>Confirms an order in four steps. A step that has finished is not done again, whatever happens to the process.</summary>
internal sealed class ConfirmOrderWorker(Gateway gateway, IJobQueue queue) : IJobWorker<ConfirmOrder>
{
    public async Task WorkAsync(WorkContext<ConfirmOrder> context, CancellationToken cancellationToken)
    {
        var order = context.Args;
        if (order.Total <= 0)
        {
            context.Fail($"Order {order.Order} has nothing to pay.");
            return;
        }

        await context.StepAsync("check-order", token => gateway.CallAsync("The shop", 100, 0, token), cancellationToken);
        var reservation = await context.StepAsync("reserve-stock", token => ReserveAsync(order, token), cancellationToken);
        await context.StepAsync("charge-card", token => gateway.CallAsync("The bank", 600, 12, token), cancellationToken);
        await context.StepAsync("tell-customer", token => TellAsync(order, token), cancellationToken);
        context.SetResult(new { reservation, confirmation = $"C-{order.Order}" });
    }

    private async Task<string> ReserveAsync(ConfirmOrder order, CancellationToken cancellationToken)
    {
        await gateway.CallAsync("The warehouse", 250, 4, cancellationToken);
        return $"R-{order.Order}";
    }

    // The key makes this step safe to repeat: a second mail for the same order is a duplicate and is not stored.
    private async Task TellAsync(ConfirmOrder order, CancellationToken cancellationToken)
        => await queue.EnqueueAsync(
            new SendMail(order.Mail, $"Your order {order.Order}"),
            new EnqueueOptions { Queue = "mail", UniqueKey = $"order-{order.Order}" }, cancellationToken);
}
