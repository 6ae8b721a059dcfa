using System.Collections.Concurrent;
using System.Diagnostics;
using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.StoreConformance.Monitoring;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>The search of a bulk operation is planned as that of a list, and the changes as all statements of the store.</summary>
public sealed class OperationPlanTests() : OperationTests(new PostgreSqlFixture())
{
    [Fact]
    public async Task The_search_of_a_step_is_planned_for_its_values()
    {
        await GivenEntryAsync();
        var query = new EntryQuery { States = [EntryState.Failed], Kind = Work, EndedFrom = DateTimeOffset.UnixEpoch };
        var operation = await StartedAsync(BulkAction.Retry, query);
        var sent = new ConcurrentQueue<string>();
        using var activity = new Activity("test").Start();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Npgsql",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = stopped =>
            {
                if (stopped.TraceId == activity.TraceId)
                {
                    sent.Enqueue(string.Join(' ', stopped.TagObjects.Select(static tag => tag.Value)));
                }
            },
        };
        ActivitySource.AddActivityListener(listener);

        await Operations.StepAsync(operation.Id, Cancellation);

        var texts = sent.ToList();
        var custom = texts.FindIndex(static text => text.Contains(OperatorSql.UseCustomPlan, StringComparison.Ordinal));
        var search = texts.FindIndex(static text => text.Contains("listed as materialized", StringComparison.Ordinal));
        var restored = texts.FindIndex(static text => text.Contains(OperatorSql.UsePlans, StringComparison.Ordinal));
        Assert.True(0 <= custom && custom < search && search < restored, string.Join('\n', texts));
    }
}
