using TaskRecovery.Monitoring;

namespace TaskRecovery.Tests.Monitoring;

/// <summary>A wrong request of an operator is named with its value and the rule.</summary>
public sealed class OperationRulesTests
{
    [Theory]
    [InlineData("", "The actor is empty")]
    [InlineData(" ", "The actor is empty")]
    [InlineData("a\u202Eb", "The actor 'a\\u202Eb' has the control character U+202E")]
    public void An_actor_is_a_readable_name(string actor, string message)
        => Refuses(message, () => OperationRules.Check(new AuditInfo(actor)));

    [Fact]
    public void Texts_have_a_length()
    {
        Refuses("The actor has 201 characters: use at most 200", () => OperationRules.Check(new AuditInfo(new string('x', 201))));
        Refuses("The reason has 2,001 characters", () => OperationRules.Check(new AuditInfo("anna", new string('x', 2001))));
        Refuses("The tool has 51 characters", () => OperationRules.Check(new AuditInfo("anna") { Tool = new string('x', 51) }));
        OperationRules.Check(new AuditInfo(new string('x', 200), new string('x', 2000)) { Tool = "cli" });
    }

    [Fact]
    public void A_bulk_request_has_a_query_or_ids_and_an_action_of_its_own()
    {
        Refuses("Neither Query nor EntryIds is set", () => OperationRules.Check(new BulkRequest { Action = BulkAction.Retry }));
        Refuses("Query and EntryIds are both set", () => OperationRules.Check(
            new BulkRequest { Action = BulkAction.Retry, Query = new(), EntryIds = [1] }));
        Refuses("Scope is set for a query", () => OperationRules.Check(
            new BulkRequest { Action = BulkAction.Retry, Query = new(), Scope = new EntryScope { Queues = ["a"] } }));
        Refuses("Scope.Kinds is ''", () => OperationRules.Check(
            new BulkRequest { Action = BulkAction.Retry, EntryIds = [1], Scope = new EntryScope { Kinds = [""] } }));
        Refuses("EntryIds has 0 ids: use 1 to 10,000", () => OperationRules.Check(
            new BulkRequest { Action = BulkAction.Retry, EntryIds = [] }));
        Refuses("EntryIds has 10,001 ids", () => OperationRules.Check(
            new BulkRequest { Action = BulkAction.Retry, EntryIds = [.. Enumerable.Range(0, 10_001).Select(id => (long)id)] }));
        Refuses("Action is 'Undo': use Retry or Cancel", () => OperationRules.Check(
            new BulkRequest { Action = BulkAction.Undo, EntryIds = [1] }));
        Refuses("MaxExamined is '0'", () => OperationRules.Check(
            new BulkRequest { Action = BulkAction.Retry, Query = new() { MaxExamined = 0 } }));
    }

    [Fact]
    public void A_retry_runs_from_where_and_when_an_entry_can_run()
    {
        var late = new RetryOptions { RunAt = new DateTimeOffset(9001, 1, 1, 0, 0, 0, TimeSpan.Zero) };
        var one = Assert.Throws<ArgumentOutOfRangeException>(() => OperationRules.Check(late));
        var many = Assert.Throws<ArgumentOutOfRangeException>(
            () => OperationRules.Check(new BulkRequest { Action = BulkAction.Retry, EntryIds = [1], Retry = late }));

        Assert.StartsWith("RunAt is 9001-01-01", one.Message, StringComparison.Ordinal);
        Assert.Equal(one.Message, many.Message);
        Refuses("From is '7'", () => OperationRules.Check(new RetryOptions { From = (RetryFrom)7 }));
        OperationRules.Check(new RetryOptions { RunAt = new DateTimeOffset(8999, 1, 1, 0, 0, 0, TimeSpan.Zero) });
        OperationRules.Check(new RetryOptions());
    }

    [Theory]
    [InlineData(BulkAction.Retry, EntryState.Failed, EntryState.Cancelled)]
    [InlineData(BulkAction.Cancel, EntryState.Waiting, EntryState.Running)]
    public void A_bulk_query_is_restricted_to_states_that_the_action_can_change(BulkAction action, EntryState one, EntryState other)
    {
        var all = OperationRules.Check(new BulkRequest { Action = action, Query = new() { Kind = "mail", Before = 7, Limit = 3 } });
        var some = OperationRules.Check(new BulkRequest { Action = action, Query = new() { States = [other, EntryState.Completed] } });

        Assert.Equal([one, other], all!.States!);
        Assert.Equal(("mail", null, 100), (all.Kind, all.Before, all.Limit));
        Assert.Equal([other], some!.States!);
        Refuses($"{action} changes only entries that are {one} or {other}", () => OperationRules.Check(
            new BulkRequest { Action = action, Query = new() { States = [EntryState.Completed] } }));
    }

    private static void Refuses(string message, Action action)
        => Assert.Contains(message, Assert.Throws<ArgumentException>(action).Message, StringComparison.Ordinal);
}
