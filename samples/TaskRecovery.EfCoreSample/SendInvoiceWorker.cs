using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.EfCoreSample;

/// <summary>An order whose invoice is due.</summary>
[JobKind("invoices.send")]
internal sealed record SendInvoice(Guid OrderId);

/// <summary>Marks the order as invoiced and ends its entry in one transaction.</summary>
internal sealed class SendInvoiceWorker(ShopContext db, IHostApplicationLifetime lifetime) : IJobWorker<SendInvoice>
{
    public async Task WorkAsync(WorkContext<SendInvoice> context, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var order = await db.Orders.SingleAsync(order => order.Id == context.Args.OrderId, cancellationToken);
        order.Invoiced = true;
        await db.SaveChangesAsync(cancellationToken);
        await context.CompleteAsync(db, cancellationToken);
        await transaction.CommitAsync(cancellationToken);

        Console.WriteLine($"{order.Customer} has the invoice of order {order.Id}.");
        lifetime.StopApplication();
    }
}
