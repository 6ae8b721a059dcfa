using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Storage;

public sealed class NodeRulesTests
{
    private static readonly Guid Id = new("0198ac11-3f00-7abc-8def-001122334455");

    [Theory]
    [InlineData("worker-1", true, "worker-1")]
    [InlineData("worker-1", false, "0198ac11-3f00-7abc-8def-001122334455")]
    [InlineData("", true, "0198ac11-3f00-7abc-8def-001122334455")]
    public void Node_without_a_name_of_its_own_is_shown_by_its_id(string name, bool isNamed, string label)
        => Assert.Equal(label, NodeRules.Label(name, isNamed, Id));

    [Theory]
    [InlineData(1, 7, 3, 8)]
    [InlineData(0, 0, 0, 1)]
    [InlineData(30, 7, 7, 31)]
    public void Dead_node_stays_a_day_longer_than_the_longest_history(int completed, int failed, int cancelled, int stays)
    {
        var retention = new RetentionOptions
        {
            Completed = TimeSpan.FromDays(completed),
            Failed = TimeSpan.FromDays(failed),
            Cancelled = TimeSpan.FromDays(cancelled),
        };

        Assert.Equal(TimeSpan.FromDays(stays), NodeRules.DeadNodesStay(retention));
    }
}
