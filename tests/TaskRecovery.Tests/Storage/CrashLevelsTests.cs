using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Storage;

public sealed class CrashLevelsTests
{
    [Theory]
    [InlineData(0, false, null)]
    [InlineData(0, true, null)]
    [InlineData(1, false, null)]
    [InlineData(1, true, -1)]
    [InlineData(2, false, -2)]
    [InlineData(2, true, -2)]
    [InlineData(7, false, -7)]
    [InlineData(10, true, -10)]
    [InlineData(11, true, -10)]
    [InlineData(300, false, -10)]
    public void Entry_that_is_put_back_waits_at_a_level_below_its_priority_by_its_crashes(int crashes, bool goesFirst, int? level)
        => Assert.Equal(level, CrashLevels.Of(crashes, goesFirst));

    [Theory]
    [InlineData(0, 1, null)]
    [InlineData(0, 3, -1)]
    [InlineData(1, 1, -1)]
    [InlineData(2, 3, -2)]
    [InlineData(12, 10, -10)]
    public void Recovered_task_runs_first_unless_that_is_a_last_chance(int crashes, int maxCrashes, int? level)
        => Assert.Equal(level, CrashLevels.OfRecoveredTask(crashes, maxCrashes));

    [Theory]
    [InlineData(1, -1, -1, 1)]
    [InlineData(2, -2, -2, 2)]
    [InlineData(3, -3, -2, 2)]
    [InlineData(10, -10, -2, 2)]
    public void Limit_divides_the_levels_into_last_chances_suspects_and_the_others(int maxCrashes, int lastChance, int suspect, int counted)
    {
        Assert.Equal((lastChance, suspect), (CrashLevels.LastChance(maxCrashes), CrashLevels.Suspect(maxCrashes)));
        Assert.Equal(counted, CrashLevels.SuspectFromWithin(maxCrashes));
    }

    [Fact]
    public void Single_crash_makes_no_suspect()
        => Assert.Equal([false, false, true, true], Enumerable.Range(0, 4).Select(CrashLevels.IsSuspect));
}
