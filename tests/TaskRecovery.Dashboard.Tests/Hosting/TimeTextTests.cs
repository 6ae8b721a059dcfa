using System.Globalization;
using TaskRecovery.Storage;

namespace TaskRecovery.Dashboard.Tests.Hosting;

/// <summary>The tool reads times with the same code.</summary>
public sealed class TimeTextTests
{
    [Theory]
    [InlineData("2026-12-01", "2026-12-01T00:00:00.0000000+00:00")]
    [InlineData("2026-12-01T18:00", "2026-12-01T18:00:00.0000000+00:00")]
    [InlineData("2026-12-01 18:00:30", "2026-12-01T18:00:30.0000000+00:00")]
    [InlineData("2026-12-01T18:00:30.5Z", "2026-12-01T18:00:30.5000000+00:00")]
    [InlineData("2026-12-01T18:00:30.123456789Z", "2026-12-01T18:00:30.1234567+00:00")]
    [InlineData("2026-12-01t18:00:30z", "2026-12-01T18:00:30.0000000+00:00")]
    [InlineData("2026-12-01 14:42:03.123456+00", "2026-12-01T14:42:03.1234560+00:00")]
    [InlineData("2026-12-01 14:42:03-08", "2026-12-01T14:42:03.0000000-08:00")]
    [InlineData("2026-12-01T14:42:03+0130", "2026-12-01T14:42:03.0000000+01:30")]
    [InlineData("2026-12-01T14:42:03.123456789+01:30", "2026-12-01T14:42:03.1234567+01:30")]
    public void A_time_has_all_forms_with_one_meaning(string text, string time)
        => Assert.Equal(time, TimeText.Read(text)?.ToString("O", CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("")]
    [InlineData("11/12/2026")]
    [InlineData("22:30")]
    [InlineData("2026-11")]
    [InlineData("2026-12-01+00")]
    [InlineData("2026-12-01T")]
    [InlineData("2026-12-01T18")]
    [InlineData("2026-12-01T18:00:30.12345678x")]
    [InlineData("2026-12-01T18:00:30+1")]
    public void A_text_with_no_meaning_or_several_is_no_time(string text) => Assert.Null(TimeText.Read(text));
}
