using Microsoft.Extensions.DependencyInjection;
using SQLitePCL;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>A value that SQLite refuses concerns its own entry and no other.</summary>
public sealed class RefusedContentTests : IDisposable
{
    private const int Runs = 20;
    private const int Limit = 200_000;

    private readonly TemporaryDatabase _files = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_result_over_the_limit_of_SQLite_is_replaced_by_an_error_and_the_others_are_stored()
    {
        var gate = new Gate();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddPatience().AddSingleton(gate);
        services.AddTaskRecovery().UseSqlite(_files.ConnectionString).AddQueue("work", Runs).AddWorker<Produce, Producer>();
        await using var provider = services.BuildServiceProvider();
        await provider.StartAllAsync(Cancellation);

        await provider.GetRequiredService<SqliteDatabase>().WriteAsync(
            static session => raw.sqlite3_limit(session.Connection.Handle!, raw.SQLITE_LIMIT_LENGTH, Limit), Cancellation);
        var queue = provider.GetRequiredService<IJobQueue>();
        for (var run = 0; run < Runs; run++)
        {
            await queue.EnqueueAsync(
                new Produce(run == Runs / 2 ? 2 * Limit : 10), new EnqueueOptions { Queue = "work" }, Cancellation);
        }

        await gate.AllRun.Task.WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
        gate.Open.SetResult();
        for (var id = 1; id <= Runs; id++)
        {
            await PatientHosts.UntilEndedAsync(queue, id);
        }

        await provider.StopAllAsync(Cancellation);

        var refused = await queue.FindAsync((Runs / 2) + 1, Cancellation);
        Assert.Equal((EntryState.Completed, null), (refused!.State, refused.Result));
        Assert.Contains("could not be stored", refused.Error, StringComparison.Ordinal);
        for (var id = 1; id <= Runs; id++)
        {
            var entry = await queue.FindAsync(id, Cancellation);
            Assert.Equal(EntryState.Completed, entry!.State);
            Assert.True(entry.Id == refused.Id || entry.Result == $"\"{new string('x', 10)}\"");
        }
    }

    public void Dispose() => _files.Dispose();

    [JobKind("produce")]
    private sealed record Produce(int Bytes);

    private sealed class Gate
    {
        private int _running;

        public TaskCompletionSource AllRun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Open { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Enter()
        {
            if (Interlocked.Increment(ref _running) == Runs)
            {
                AllRun.SetResult();
            }
        }
    }

    private sealed class Producer(Gate gate) : IJobWorker<Produce>
    {
        public async Task WorkAsync(WorkContext<Produce> context, CancellationToken cancellationToken)
        {
            gate.Enter();
            await gate.Open.Task.WaitAsync(cancellationToken);
            context.SetResult(new string('x', context.Args.Bytes));
        }
    }
}
