using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <summary>Bulk operations on ids that are restricted to a scope, and the reason of an operation.</summary>
public abstract class OperationScopeTests(StoreFixture fixture) : OperationTests(fixture)
{
    [Theory]
    [InlineData(BulkAction.Cancel)]
    [InlineData(BulkAction.Retry)]
    public async Task What_is_out_of_the_scope_is_refused_as_missing_whatever_its_state_is(BulkAction action)
    {
        var node = GivenNode();
        var (fence, ended) = await GivenBatchAsync(node, 2);
        await FinishAsync(node, Outcome(ended[0], fence), Outcome(ended[1], fence, OutcomeKind.Failed));
        var waiting = await GivenEntryAsync();
        long[] ids = [ended[0], ended[1], waiting, 123456];

        var operation = await StartedAsync(action, new EntryQuery { Scope = new EntryScope { Queues = ["of-another"] } }, ids);
        var last = (await RunAsync(operation.Id))[^1];
        var results = await Operations.ListEntriesAsync(new OperationEntryQuery { OperationId = operation.Id }, Cancellation);

        Assert.Equal((0L, 4L), (last.Done, last.Refused));
        Assert.All(results.Entries, static entry => Assert.Equal(OperatorResult.NotFound, entry.Result));
    }

    [Fact]
    public async Task An_id_in_the_scope_is_changed_and_its_undo_has_the_scope()
    {
        var ids = await GivenEntriesAsync(2, index => Entry(index == 0 ? "own" : "other"));
        var scope = new EntryQuery { Scope = new EntryScope { Kinds = ["own"] } };

        var operation = await StartedAsync(BulkAction.Cancel, scope, ids);
        await RunAsync(operation.Id);
        var undo = await UndoneAsync(operation.Id);

        Assert.Equal(OperatorResult.Done, await ResultAsync(operation.Id, ids[0]));
        Assert.Equal(OperatorResult.NotFound, await ResultAsync(operation.Id, ids[1]));
        Assert.Equal(["own"], undo.Query!.Scope!.Kinds!);
        Assert.Equal((1L, EntryState.Waiting), (undo.Done, await StateAsync(ids[0])));
    }

    [Fact]
    public async Task An_operation_is_found_only_with_its_own_scope()
    {
        var scope = new EntryScope { Queues = ["b", "a"], Metadata = new("tenant", "\"7\"") };
        var operation = await PrepareAsync(BulkAction.Cancel, new EntryQuery { Scope = scope }, [1, 2]);
        var whole = await PrepareAsync(BulkAction.Cancel, Waiting with { Text = "\"Scope\":{\"Queues\":[\"a\"]}" });
        var unreadable = await PrepareAsync(BulkAction.Cancel, new EntryQuery { Scope = scope });
        await Fixture.SetOperationAsync(unreadable.Id, "query", "'broken'", Cancellation);

        Assert.True(await IsFoundAsync(operation.Id, scope));
        Assert.True(await IsFoundAsync(operation.Id, scope with { Queues = ["a", "b", "a"] }));
        Assert.True(await IsFoundAsync(operation.Id, null));
        EntryScope[] others =
        [
            new(), scope with { Queues = ["a"] }, scope with { Queues = ["a", "b", "c"] }, scope with { Queues = null },
            scope with { Kinds = [] }, scope with { Metadata = null }, scope with { Metadata = new("tenant", "7") },
        ];
        foreach (var other in others)
        {
            Assert.False(await IsFoundAsync(operation.Id, other));
        }

        Assert.False(await IsFoundAsync(whole.Id, new EntryScope { Queues = ["a"] }));
        Assert.False(await IsFoundAsync(unreadable.Id, scope));
        Assert.False(await IsFoundAsync(123456, scope));
    }

    [Theory]
    [InlineData("all of them", "all of them")]
    [InlineData(null, "wrong batch")]
    public async Task The_reason_at_the_start_is_the_one_of_the_operation(string? given, string expected)
    {
        var prepared = await PrepareAsync(BulkAction.Cancel, Waiting);

        var answer = await Operations.StartAsync(prepared.Id, Anna with { Reason = given }, TimeSpan.FromMinutes(10), Cancellation);

        Assert.Equal((OperationResult.Done, expected), (answer.Result, answer.Operation!.Audit.Reason));
    }

    private async Task<bool> IsFoundAsync(long operation, EntryScope? scope)
        => await Operations.FindAsync(operation, scope, Cancellation) is not null;
}
