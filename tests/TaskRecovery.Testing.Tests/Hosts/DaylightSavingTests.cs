using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace TaskRecovery.Testing.Tests.Hosts;

/// <summary>An advance over a change of daylight-saving time runs cron jobs at their due times.</summary>
public sealed class DaylightSavingTests
{
    private readonly List<(string Job, DateTimeOffset? DueAt, DateTimeOffset At)> _runs = [];
    private TestApplication? _application;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    // 2:30 does not exist: at the end of the gap
    [InlineData("2026-03-27T12:00Z", "2026-03-28T01:30Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z")]
    [InlineData("2026-10-23T12:00Z", "2026-10-24T00:30Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z")] // 2:30 comes twice: the first time
    public async Task A_fixed_time_runs_once_a_day_and_an_hourly_one_every_hour(string start, params string[] expected)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.Parse(start, CultureInfo.InvariantCulture));
        await using var application = _application = await TestApplication.StartAsync(
            static (_, _) => Task.CompletedTask,
            options => options.Time = clock,
            builder =>
            {
                builder.Services.AddSingleton(new ActionHandler<Hours>((context, _) =>
                {
                    _runs.Add((context.JobName, context.DueAt, _application!.Test.Now));
                    return Task.CompletedTask;
                }));
                builder.AddTaskHandler<Hours, ActionHandler<Hours>>()
                    .AddCronJob("at half past two", "30 2 * * *", new Hours(24), timeZone: "Europe/Berlin")
                    .AddCronJob("hourly", "0 * * * *", new Hours(1), timeZone: "Europe/Berlin");
            });

        await application.Test.AdvanceAsync(TimeSpan.FromDays(3), cancellationToken: Cancellation);

        Assert.Equal(expected.Select(time => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture)), RunsOf("at half past two"));
        Assert.Equal(Enumerable.Range(1, 72).Select(hour => clock.Start.AddHours(hour)), RunsOf("hourly"));
        Assert.All(_runs, run => Assert.InRange(run.At, run.DueAt!.Value, run.DueAt.Value.AddMilliseconds(1)));
    }

    private IEnumerable<DateTimeOffset> RunsOf(string job) => _runs.Where(run => run.Job == job).Select(run => run.DueAt!.Value);

    [JobKind("hours")]
    private sealed record Hours(int Every);
}
