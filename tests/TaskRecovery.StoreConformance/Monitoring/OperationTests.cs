using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <summary>Base class of the tests of bulk operations.</summary>
public abstract class OperationTests(StoreFixture fixture) : StoreTests(fixture)
{
    protected static readonly AuditInfo Anna = new("anna", "wrong batch");
    protected static readonly EntryQuery Waiting = new() { States = [EntryState.Waiting, EntryState.Running] };
    protected static readonly EntryQuery Unwell = new() { States = [EntryState.Failed, EntryState.Cancelled] };

    protected IOperationStore Another => Fixture.OpenAnotherOperations();

    protected async Task<BulkOperation> PrepareAsync(
        BulkAction action, EntryQuery? query = null, long[]? ids = null, RetryOptions? retry = null)
        => await Operations.PrepareAsync(
            new NewOperation { Action = action, Query = query, EntryIds = ids, Retry = retry, Expected = new Count(3) },
            Anna, Cancellation);

    protected async Task<BulkOperation> StartedAsync(
        BulkAction action, EntryQuery? query = null, long[]? ids = null, RetryOptions? retry = null)
    {
        var answer = await Operations.StartAsync(
            (await PrepareAsync(action, query, ids, retry)).Id, Anna, TimeSpan.FromMinutes(10), Cancellation);
        Assert.Equal((OperationResult.Done, OperationState.Running), (answer.Result, answer.Operation!.State));
        return answer.Operation;
    }

    protected async Task<List<BulkOperation>> RunAsync(long operationId, IOperationStore? store = null)
    {
        var steps = new List<BulkOperation>();
        for (var step = await (store ?? Operations).StepAsync(operationId, Cancellation); ; step = await (store
            ?? Operations).StepAsync(operationId, Cancellation))
        {
            if (step.Worked)
            {
                steps.Add(step.Operation!);
            }

            if (step.Operation!.State != OperationState.Running)
            {
                return steps;
            }
        }
    }

    protected async Task<BulkOperation> UndoneAsync(long operationId)
    {
        var undo = await Operations.UndoAsync(operationId, Anna, Cancellation);
        Assert.Equal(OperationResult.Done, undo.Result);
        return (await RunAsync(undo.Operation!.Id))[^1];
    }

    protected async Task<OperatorResult> ResultAsync(long operationId, long entryId)
        => (await Operations.ListEntriesAsync(new OperationEntryQuery { OperationId = operationId }, Cancellation))
            .Entries.Single(entry => entry.EntryId == entryId).Result;
}
