using System.Threading.Channels;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Who hears of new work.</summary>
public sealed class HintTests : PostgreSqlStoreTests
{
    [Fact]
    public async Task A_process_skips_its_own_hints_after_an_enqueue_and_hears_those_inside_a_transaction()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        var (connected, heard) = (new TaskCompletionSource(), new TaskCompletionSource<string?>());
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var listening = store.ListenAsync(
            hint =>
            {
                _ = hint.Kind == StoreHintKind.Connected ? connected.TrySetResult() : heard.TrySetResult(hint.Queue);
            },
            source.Token);
        await connected.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancellation);

        // A session beside it says when the hint has been sent; every listener hears of all in the order of the commits.
        await using var connection = await ConnectAsync();
        await using (var listen = new Npgsql.NpgsqlCommand("listen " + PostgreSqlDatabase.Quote(database.Channel), connection))
        {
            await listen.ExecuteNonQueryAsync(Cancellation);
        }

        await store.EnqueueAsync([Entry(queue: "its-own")], null, Cancellation);
        Assert.True(await connection.WaitAsync(TimeSpan.FromSeconds(60), Cancellation));
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await store.EnqueueAsync([Entry(queue: "inside")], transaction, Cancellation);
            await transaction.CommitAsync(Cancellation);
        }

        Assert.Equal("inside", await heard.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancellation));
        await source.CancelAsync();
        await Record.ExceptionAsync(() => listening);
    }

    [Fact]
    public async Task Two_schemas_of_one_database_hear_only_their_own_hints()
    {
        var (first, second) = (await OpenStoreAsync(), await OpenStoreAsync(Open(options => options.Schema = "reports")));
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var (heardByFirst, heardBySecond) = (new Heard(), new Heard());
        var listening = Task.WhenAll(
            first.ListenAsync(heardByFirst.Add, source.Token), second.ListenAsync(heardBySecond.Add, source.Token));
        await heardByFirst.UntilAsync("connected");
        await heardBySecond.UntilAsync("connected");

        await EnqueueInTransactionAsync(first, "mail");
        await heardByFirst.UntilAsync("mail");
        await EnqueueInTransactionAsync(second, "night");
        await heardBySecond.UntilAsync("night");

        // A listener hears hints in the order of their commits.
        await EnqueueInTransactionAsync(first, "last");
        await EnqueueInTransactionAsync(second, "last");
        await heardByFirst.UntilAsync("last");
        await heardBySecond.UntilAsync("last");
        await source.CancelAsync();
        await Record.ExceptionAsync(() => listening);

        Assert.DoesNotContain("night", heardByFirst.All);
        Assert.DoesNotContain("mail", heardBySecond.All);
    }

    [Theory]
    [InlineData("o0badcafemail", "mail")]
    [InlineData("wmail", "mail")]
    [InlineData("o12345678mail", null)]
    [InlineData("o1234", null)]
    [InlineData("zlater", null)]
    public void Only_hints_of_other_processes_are_read(string payload, string? queue)
        => Assert.Equal(queue, HintText.Read(payload, "12345678")?.Queue);

    private async Task EnqueueInTransactionAsync(PostgreSqlQueueStore store, string queue)
    {
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await store.EnqueueAsync([Entry(queue)], transaction, Cancellation);
        await transaction.CommitAsync(Cancellation);
    }

    /// <summary>The queues of the hints that a listener has heard, and "connected".</summary>
    private sealed class Heard
    {
        private readonly Channel<string> _hints = Channel.CreateUnbounded<string>();
        private readonly List<string> _all = [];

        /// <summary>The hints up to the last one that the test has waited for.</summary>
        public IReadOnlyList<string> All => _all;

        public void Add(StoreHint hint)
            => _hints.Writer.TryWrite(hint.Kind == StoreHintKind.Connected ? "connected" : hint.Queue ?? "all");

        public async Task UntilAsync(string hint)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            limit.CancelAfter(TimeSpan.FromSeconds(60));
            do
            {
                _all.Add(await _hints.Reader.ReadAsync(limit.Token));
            }
            while (_all[^1] != hint);
        }
    }
}
