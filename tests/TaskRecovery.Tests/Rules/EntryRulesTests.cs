using TaskRecovery.Jobs;
using TaskRecovery.Rules;

namespace TaskRecovery.Tests.Rules;

/// <summary>What an entry, a job and a worker have in common has one limit and one remedy.</summary>
public sealed class EntryRulesTests
{
    public static TheoryData<JobDefinition, string> Bad => new()
    {
        { Valid with { Priority = -1 }, "Priority is -1; use 0 (the most urgent) to 9." },
        { Valid with { Priority = 10 }, "Priority is 10; use 0 (the most urgent) to 9." },
        { Valid with { MaxAttempts = 0 }, "MaxAttempts is 0; use 1 to 1,000." },
        { Valid with { MaxAttempts = 1_001 }, "MaxAttempts is 1001; use 1 to 1,000." },
        { Valid with { Timeout = TimeSpan.Zero }, "Timeout is 00:00:00; use at least a microsecond and at most 45.00:00:00, or null" },
        { Valid with { Timeout = TimeSpan.FromTicks(9) }, "Timeout is 00:00:00.0000009; use at least a microsecond" },
        { Valid with { Timeout = TimeSpan.FromDays(46) }, "Timeout is 46.00:00:00; use at least a microsecond and at most 45.00:00:00" },
    };

    private static JobDefinition Valid => new("report", Schedule.Every(TimeSpan.FromHours(1)));

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_job_is_refused_with_the_remedy_of_an_entry(JobDefinition definition, string expected)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => JobRules.Check(definition));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_at_a_limit_is_allowed()
        => Assert.All(
            (string?[])
            [
                EntryRules.InsteadOfPriority(0), EntryRules.InsteadOfPriority(9),
                EntryRules.InsteadOfMaxAttempts(null), EntryRules.InsteadOfMaxAttempts(1), EntryRules.InsteadOfMaxAttempts(1_000),
                EntryRules.InsteadOfTimeout(null), EntryRules.InsteadOfTimeout(TimeSpan.FromMicroseconds(1.0)),
                EntryRules.InsteadOfTimeout(TimeSpan.FromDays(45)),
            ],
            static remedy => Assert.Null(remedy));
}
