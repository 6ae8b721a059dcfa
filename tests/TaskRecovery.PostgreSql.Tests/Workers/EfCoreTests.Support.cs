using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Workers;

/// <content>The application of these tests, and the failures that they provoke.</content>
public sealed partial class EfCoreTests
{
    public sealed class Order
    {
        public Guid Id { get; init; }

        public int Invoices { get; set; }
    }

    public sealed class ShopContext(DbContextOptions<ShopContext> options) : DbContext(options)
    {
        public DbSet<Order> Orders => Set<Order>();
    }

    [JobKind("test.send-invoice")]
    public sealed record SendInvoice(Guid OrderId);

    private sealed class RetryingStrategy(ExecutionStrategyDependencies dependencies) : NpgsqlRetryingExecutionStrategy(dependencies)
    {
        protected override bool ShouldRetryOn(Exception? exception)
            => exception is StoreUnavailableException || base.ShouldRetryOn(exception);
    }

    private sealed class SendInvoiceWorker(ShopContext db, Failures failures) : IJobWorker<SendInvoice>
    {
        public Task WorkAsync(WorkContext<SendInvoice> context, CancellationToken cancellationToken)
            => db.Database.CreateExecutionStrategy().ExecuteAsync(
                async token =>
                {
                    failures.Runs++;
                    db.ChangeTracker.Clear();
                    await using var transaction = await db.Database.BeginTransactionAsync(token);

                    var order = await db.Orders.SingleAsync(order => order.Id == context.Args.OrderId, token);
                    order.Invoices++;
                    await db.SaveChangesAsync(token);
                    await context.CompleteAsync(db, token);

                    await transaction.CommitAsync(token);
                    Failures.ThrowOnce(ref failures.AfterCommit);
                },
                cancellationToken);
    }

    /// <summary>A store whose answers about commits are given.</summary>
    public class AskedStore : System.Reflection.DispatchProxy
    {
        private int _asks;

        public IEntryStore? Inner { get; set; }

        public Func<int, bool?>? Answer { get; set; }

        protected override object? Invoke(System.Reflection.MethodInfo? targetMethod, object?[]? args)
        {
            Func<CancellationToken, ValueTask<bool?>> ask = _ => ValueTask.FromResult(Answer!(_asks++));
            return Answer is not null && targetMethod!.Name == nameof(IEntryStore.FollowCommit) ? ask : targetMethod!.Invoke(Inner, args);
        }
    }

    private sealed class HurriedTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        // It moves by what is waited for and by nothing else, so a busy machine spends none of the minute.
        public override long GetTimestamp() => Interlocked.Read(ref _now);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime > TimeSpan.Zero)
            {
                Interlocked.Add(ref _now, dueTime.Ticks);
                dueTime = TimeSpan.Zero;
            }

            return base.CreateTimer(callback, state, dueTime, period);
        }
    }

    /// <summary>The commit fails once, before it happens or after it.</summary>
    private sealed class LostAnswer(Failures failures) : DbTransactionInterceptor
    {
        public override ValueTask<InterceptionResult> TransactionCommittingAsync(
            System.Data.Common.DbTransaction transaction, TransactionEventData eventData, InterceptionResult result,
            CancellationToken cancellationToken = default)
        {
            Failures.ThrowOnce(ref failures.BeforeCommit);
            return ValueTask.FromResult(result);
        }

        public override Task TransactionCommittedAsync(
            System.Data.Common.DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            Failures.ThrowOnce(ref failures.AnswerOfCommit);
            return Task.CompletedTask;
        }
    }

    /// <summary>What fails once, and what ran.</summary>
    private sealed class Failures
    {
        public Exception? AfterEnqueue;
        public Exception? AfterCommit;
        public Exception? BeforeCommit;
        public Exception? AnswerOfCommit;

        public int Blocks { get; set; }

        public int Runs { get; set; }

        public static void ThrowOnce(ref Exception? failure)
        {
            if (Interlocked.Exchange(ref failure, null) is { } exception)
            {
                throw exception;
            }
        }
    }
}
