using System.Net;
using System.Threading.RateLimiting;

namespace TaskRecovery.Testing.Tests.Samples;

[JobKind("recipes.trip")]
public sealed record BookTrip(string Trip);

public sealed class BookTripWorker(ITravel travel) : IJobWorker<BookTrip>
{
    public async Task WorkAsync(WorkContext<BookTrip> context, CancellationToken cancellationToken)
    {
        var flight = await context.StepAsync("flight", token => travel.BookFlightAsync(context.Args.Trip, token), cancellationToken);
        var problem = await context.StepAsync(
            "hotel",
            async token =>
            {
                try
                {
                    await travel.BookHotelAsync(context.Args.Trip, token);
                    return "";
                }
                catch (NoRoomException exception)
                {
                    return exception.Message;
                }
            },
            cancellationToken);
        if (problem.Length > 0)
        {
            await context.StepAsync("cancel flight", token => travel.CancelFlightAsync(flight, token), cancellationToken);
            context.Fail(problem);
        }
    }
}

[JobKind("recipes.charge-card")]
public sealed record ChargeCard(int OrderId);

public sealed class ChargeCardWorker(ICards cards) : IJobWorker<ChargeCard>
{
    public async Task WorkAsync(WorkContext<ChargeCard> context, CancellationToken cancellationToken)
    {
        var begun = await context.StepAsync("begun", _ => Task.FromResult(context.Fence), cancellationToken);
        if (begun != context.Fence)
        {
            context.Fail("An earlier run was interrupted. Find out what it did before you retry the entry from the start.");
            return;
        }

        await cards.ChargeAsync(context.Args.OrderId, cancellationToken);
    }
}

[JobKind("recipes.pack")]
public sealed record PackOrder(int OrderId);

[JobKind("recipes.ship")]
public sealed record ShipOrder(int OrderId);

public sealed class PackOrderWorker(Orders orders, IJobQueue queue) : IJobWorker<PackOrder>
{
    public async Task WorkAsync(WorkContext<PackOrder> context, CancellationToken cancellationToken)
    {
        await using var transaction = await orders.BeginAsync(cancellationToken);
        await orders.PackAsync(context.Args.OrderId, transaction, cancellationToken);
        await queue.EnqueueAsync(new ShipOrder(context.Args.OrderId), transaction, cancellationToken: cancellationToken);
        await context.CompleteAsync(transaction, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }
}

[JobKind("recipes.apply-changes")]
public sealed record ApplyChanges(string Customer);

public sealed class ApplyChangesWorker(Changes changes) : IJobWorker<ApplyChanges>
{
    public async Task WorkAsync(WorkContext<ApplyChanges> context, CancellationToken cancellationToken)
    {
        bool applied;
        do
        {
            await using var transaction = await changes.BeginAsync(context.Args.Customer, cancellationToken);
            applied = await changes.ApplyNextAsync(context.Args.Customer, transaction, cancellationToken);
            if (!applied)
            {
                await context.CompleteAsync(transaction, cancellationToken);
            }

            await transaction.CommitAsync(cancellationToken);
        }
        while (applied);
    }
}

[JobKind("recipes.crm")]
public sealed record UpdateCrm(Uri Address);

public sealed class UpdateCrmWorker(HttpClient client) : IJobWorker<UpdateCrm>
{
    public async Task WorkAsync(WorkContext<UpdateCrm> context, CancellationToken cancellationToken)
    {
        var response = await client.PutAsync(context.Args.Address, content: null, cancellationToken);
        if (response.StatusCode == HttpStatusCode.TooManyRequests)
        {
            context.Snooze(response.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(30));
            return;
        }

        response.EnsureSuccessStatusCode();
    }
}

[JobKind("recipes.partner")]
public sealed record CallPartner(Uri Address);

public sealed class CallPartnerWorker(HttpClient client, RateLimiter limiter) : IJobWorker<CallPartner>
{
    public async Task WorkAsync(WorkContext<CallPartner> context, CancellationToken cancellationToken)
    {
        using var lease = await limiter.AcquireAsync(1, cancellationToken);
        if (!lease.IsAcquired)
        {
            context.Snooze(TimeSpan.FromSeconds(1));   // as many as QueueLimit wait already
            return;
        }

        using var response = await client.PostAsync(context.Args.Address, content: null, cancellationToken);
        response.EnsureSuccessStatusCode();
    }
}
