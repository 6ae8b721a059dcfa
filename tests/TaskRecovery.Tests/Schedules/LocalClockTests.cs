using System.Globalization;
using TaskRecovery.Schedules;

namespace TaskRecovery.Tests.Schedules;

/// <summary>The clock of a time zone around its changes.</summary>
public sealed class LocalClockTests
{
    [Theory]
    [InlineData("UTC", "2026-03-29T00:00", "2026-03-29T00:00Z")]
    [InlineData("Europe/Dublin", "2026-03-29T00:59", "2026-03-29T00:59Z")]
    [InlineData("Europe/Dublin", "2026-03-29T01:30", "2026-03-29T01:00Z")] // does not exist: the end of the gap
    [InlineData("Europe/Dublin", "2026-03-29T02:00", "2026-03-29T01:00Z")]
    [InlineData("Europe/Dublin", "2026-10-25T01:30", "2026-10-25T00:30Z")] // twice: the first
    [InlineData("Europe/Dublin", "2026-10-25T02:00", "2026-10-25T02:00Z")]
    [InlineData("America/Santiago", "2026-09-06T00:00", "2026-09-06T04:00Z")] // the gap begins at midnight
    [InlineData("Africa/Cairo", "2026-04-24T00:00", "2026-04-23T22:00Z")]
    [InlineData("America/Havana", "2026-11-01T00:00", "2026-11-01T04:00Z")] // midnight comes twice
    [InlineData("Asia/Almaty", "2024-02-29T23:30", "2024-02-29T17:30Z")] // the standard time changed, from 24:00 to 23:00
    [InlineData("Asia/Almaty", "2024-03-01T00:00", "2024-02-29T19:00Z")]
    [InlineData("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00Z")] // a day that does not exist
    public void A_local_time_has_a_first_instant(string zone, string local, string expected)
    {
        var instant = new LocalClock(TimeZones.Get(zone)).FirstInstantOf(DateTime.Parse(local, CultureInfo.InvariantCulture));

        Assert.Equal(Time(expected), instant);
    }

    [Theory]
    [InlineData("Europe/Dublin", "2026-10-25T00:59:59Z", null)]
    [InlineData("Europe/Dublin", "2026-10-25T01:00Z", "2026-10-25T01:00")]
    [InlineData("Europe/Dublin", "2026-10-25T01:59:59Z", "2026-10-25T01:00")]
    [InlineData("Europe/Dublin", "2026-10-25T02:00Z", null)]
    [InlineData("Europe/Dublin", "2026-03-29T01:30Z", null)]
    [InlineData("Africa/Casablanca", "2026-02-15T02:30Z", "2026-02-15T02:00")]
    public void The_second_of_two_equal_local_times_is_known(string zone, string instant, string? expected)
    {
        var begin = new LocalClock(TimeZones.Get(zone)).RepeatBegin(Time(instant).UtcTicks);

        Assert.Equal(expected, begin is { } ticks ? new DateTime(ticks).ToString("yyyy-MM-ddTHH:mm", CultureInfo.InvariantCulture) : null);
    }

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
