using System.Data;
using System.Data.Common;
using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests how entries are enqueued.</summary>
public abstract class EnqueueTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task A_stored_entry_is_found_as_it_was_given()
    {
        var before = await Fixture.GetTimeAsync(Cancellation);
        var entry = Entry("mail.send", "mail", 2, "key", """{"to":"Jörg \"the\" O'Neill 💌","n":[1,2.5,null,true]}""", maxAttempts: 7) with
        {
            Timeout = TimeSpan.FromSeconds(90),
            Metadata = """{"tenant":"a","note":"b"}""",
            TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        };

        var id = await GivenEntryAsync(entry);

        var found = await FindAsync(id);
        Assert.Equal(id, found.Id);
        Assert.Equal("mail.send", found.Kind);
        Assert.Equal("mail", found.Queue);
        Assert.Equal(2, found.Priority);
        SameJson("""{"to":"Jörg \"the\" O'Neill 💌","n":[1,2.5,null,true]}""", found.Args);
        Assert.Equal(EntryState.Waiting, found.State);
        Assert.Equal(0, found.Attempt);
        Assert.Equal(7, found.MaxAttempts);
        Assert.Equal(0, found.Crashes);
        Assert.Equal("key", found.UniqueKey);
        Assert.Equal(TimeSpan.FromSeconds(90), found.Timeout);
        Assert.Equal([new("note", "b"), new("tenant", "a")], found.Metadata!.OrderBy(pair => pair.Key, StringComparer.Ordinal));
        Assert.InRange(found.CreatedAt, before.AddMilliseconds(-5), before.AddMinutes(5));
        Assert.NotNull(found.RunAt);
        Assert.Null(found.StartedAt);
        Assert.Null(found.EndedAt);
        Assert.Null(found.Node);
        Assert.Null(found.Result);
        Assert.Null(found.Error);
        Assert.Null(found.Reason);
        Assert.False(found.CancelRequested);
    }

    [Fact]
    public async Task A_claim_hands_out_what_was_stored()
    {
        var node = GivenNode();
        var id = await GivenEntryAsync(Entry(priority: 3, key: "key", args: """{"a":"é"}""", maxAttempts: 4) with
        {
            Timeout = TimeSpan.FromMinutes(2),
            Metadata = """{"tenant":"a"}""",
            TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        });

        var claimed = Assert.Single((await ClaimAsync(node)).Entries);

        Assert.Equal(id, claimed.Id);
        Assert.Equal(Work, claimed.Kind);
        Assert.Equal(3, claimed.Priority);
        SameJson("""{"a":"é"}""", claimed.Args);
        Assert.Equal(1, claimed.Attempt);
        Assert.Equal(4, claimed.MaxAttempts);
        Assert.Equal(0, claimed.Crashes);
        Assert.True(claimed.HasUniqueKey);
        Assert.False(claimed.CancelRequested);
        Assert.Equal(TimeSpan.FromMinutes(2), claimed.Timeout);
        SameJson("""{"tenant":"a"}""", claimed.Metadata);
        Assert.Equal("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", claimed.TraceParent);
        Assert.Equal((await FindAsync(id)).CreatedAt, claimed.CreatedAt);
        Assert.InRange(claimed.Waited, TimeSpan.Zero, TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task Many_are_stored_at_once_with_ids_in_their_order()
    {
        var ids = await GivenEntriesAsync(10_000, index => Entry(args: $$"""{"n":{{index}}}"""));

        Assert.Equal(10_000, ids.Distinct().Count());
        Assert.Equal(ids.Order(), ids);
        Assert.Equal(10_000, (await Store.CountAsync(null, Cancellation)).Due.Value);
        SameJson("""{"n":9999}""", (await FindAsync(ids[^1])).Args);
    }

    [Fact]
    public async Task Nothing_to_store_is_no_error()
        => Assert.Empty(await Store.EnqueueAsync([], null, Cancellation));

    [Fact]
    public async Task Entries_of_many_kinds_and_queues_go_in_together()
    {
        var ids = await GivenEntriesAsync(60, index => Entry($"kind-{index % 6}", $"queue-{index % 4}", index % 10));

        for (var index = 0; index < ids.Length; index++)
        {
            var found = await FindAsync(ids[index]);
            Assert.Equal(($"kind-{index % 6}", $"queue-{index % 4}", index % 10), (found.Kind, found.Queue, found.Priority));
        }
    }

    [Fact]
    public async Task Large_arguments_come_back_whole()
    {
        var node = GivenNode();
        var args = $$"""{"text":"{{new string('x', 1024 * 1024)}}"}""";

        await GivenEntryAsync(Entry(args: args));

        SameJson(args, Assert.Single((await ClaimAsync(node)).Entries).Args);
    }

    [Fact]
    public async Task An_entry_in_the_callers_transaction_is_there_when_that_commits()
    {
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);

        var results = await Store.EnqueueAsync([Entry(), Entry(key: "key")], transaction, Cancellation);
        var before = await Store.FindAsync(results[0].Id, Cancellation);
        await transaction.CommitAsync(Cancellation);

        Assert.Null(before);
        Assert.Equal(EntryState.Waiting, await StateAsync(results[0].Id));
        Assert.Equal(results.Select(result => result.Id), (await ClaimAsync(GivenNode())).Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task An_entry_in_the_callers_transaction_is_gone_when_that_rolls_back()
    {
        EnqueueResult[] results;
        await using (var connection = await Fixture.OpenConnectionAsync(Cancellation))
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            results = await Store.EnqueueAsync([Entry(), Entry(key: "key")], transaction, Cancellation);
            await transaction.RollbackAsync(Cancellation);
        }

        Assert.Null(await Store.FindAsync(results[0].Id, Cancellation));
        Assert.Empty((await ClaimAsync(GivenNode())).Entries);
        Assert.False((await EnqueueAsync(Entry(key: "key"))).IsDuplicate);
    }

    [Fact]
    public async Task A_kind_first_seen_in_a_transaction_that_rolled_back_can_be_used_again()
    {
        await using (var connection = await Fixture.OpenConnectionAsync(Cancellation))
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await Store.EnqueueAsync([Entry("brand.new")], transaction, Cancellation);
            await transaction.RollbackAsync(Cancellation);
        }

        var id = await GivenEntryAsync(Entry("brand.new"));

        Assert.Equal(id, Assert.Single((await ClaimAsync(GivenNode(), kinds: "brand.new")).Entries).Id);
    }

    [Fact]
    public async Task A_transaction_of_another_database_is_refused()
    {
        await using var foreign = new ForeignTransaction();

        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.EnqueueAsync([Entry()], foreign, Cancellation));

        Assert.Equal(0, (await Store.CountAsync(null, Cancellation)).Due.Value);
    }

    [Theory]
    [InlineData("committed")]
    [InlineData("rolled back")]
    [InlineData("disposed")]
    public async Task A_transaction_that_has_ended_is_refused_and_nothing_is_stored(string end)
    {
        NewEntry[][] calls = [[Entry()], [Entry(key: "key")], [Entry(), Entry(key: "key")]];
        foreach (var entries in calls)
        {
            await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
            await using var transaction = await GivenEndedTransactionAsync(connection, end);

            var refused = await Assert.ThrowsAsync<ArgumentException>(
                async () => await Store.EnqueueAsync(entries, transaction, Cancellation));
            Assert.Contains("has ended", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal(0, (await Store.CountAsync(null, Cancellation)).Due.Value);
    }

    private sealed class ForeignTransaction : DbTransaction
    {
        public override IsolationLevel IsolationLevel => IsolationLevel.ReadCommitted;

        protected override DbConnection? DbConnection => null;

        public override void Commit() => throw new InvalidOperationException("Nothing of the store's belongs into this transaction.");

        public override void Rollback()
        {
        }
    }
}
