using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Hosting;

/// <summary>A policy that is misspelled is found at start.</summary>
public sealed class PolicyCheckTests
{
    [Theory]
    [InlineData("opps", "data", "OperatePolicy is 'opps'")]
    [InlineData("ops", "dta", "DataPolicy is 'dta'")]
    public async Task A_policy_that_does_not_exist_stops_the_start(string operate, string data, string expected)
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => DashboardApp.StartAsync(Shop.Empty(), new AppSetup { OperatePolicy = operate, DataPolicy = data }));

        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }
}
