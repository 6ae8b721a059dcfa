using TaskRecovery.Dashboard.Charts;
using TaskRecovery.Dashboard.Rendering;
using TaskRecovery.Dashboard.Pages;

namespace TaskRecovery.Dashboard.Tests.Rendering;

/// <summary>Numbers and times read well.</summary>
public sealed class ShownTests
{
    [Theory]
    [InlineData(0, "0 ms")]
    [InlineData(0.34, "340 ms")]
    [InlineData(1.25, "1.3 s")]
    [InlineData(59.9, "59 s")]
    [InlineData(60, "1 min")]
    [InlineData(192, "3 min 12 s")]
    [InlineData(7_500, "2 h 5 min")]
    [InlineData(183_600, "2 d 3 h")]
    public void A_duration_has_two_units_at_most(double seconds, string expected)
        => Assert.Equal(expected, Shown.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(12_345, CountPrecision.Exact, "12,345")]
    [InlineData(100_000, CountPrecision.AtLeast, "100,000+")]
    [InlineData(48_120, CountPrecision.About, "≈ 48,120")]
    [InlineData(10_412_990, CountPrecision.About, "≈ 10.4 million")]
    public void A_count_says_how_exact_it_is(long value, CountPrecision precision, string expected)
        => Assert.Equal(expected, Shown.Number(new Count(value, precision)));

    [Fact]
    public void A_time_has_the_year_without_a_script()
    {
        var at = new DateTimeOffset(2025, 3, 1, 12, 30, 5, 120, TimeSpan.FromHours(1));

        Assert.Contains(">2025-03-01 11:30:05<", Shown.Clock(at).ToString(), StringComparison.Ordinal);
        Assert.Contains(">2025-03-01 11:30:05.120<", Shown.Exact(at).ToString(), StringComparison.Ordinal);
        Assert.Contains(">2025-03-01 11:30:05 UTC<", Shown.Ago(at).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(950, "950")]
    [InlineData(12_300, "12.3k")]
    [InlineData(999_600, "1M")]
    [InlineData(12_345_678, "12.3M")]
    public void A_short_number_fits_an_axis(long value, string expected) => Assert.Equal(expected, Shown.Short(value));

    [Theory]
    [InlineData(CountPrecision.Exact, "12.3k")]
    [InlineData(CountPrecision.AtLeast, "12.3k+")]
    [InlineData(CountPrecision.About, "12.3k")]
    public void A_short_count_says_that_there_may_be_more(CountPrecision precision, string expected)
        => Assert.Equal(expected, Shown.Short(new Count(12_300, precision)));

    [Theory]
    [InlineData(0, 2)]
    [InlineData(3, 4)]
    [InlineData(4, 4)]
    [InlineData(5, 6)]
    [InlineData(11, 20)]
    [InlineData(41, 60)]
    [InlineData(123_456, 200_000)]
    public void The_top_of_a_chart_and_its_half_are_round(long largest, long expected)
        => Assert.Equal(expected, ThroughputChart.NiceTop(largest));

    [Theory]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "4bf92f3577b34da6a3ce929d0e0e4736")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01", null)]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e473\"-00f067aa0ba902b7-01", null)]
    [InlineData("javascript:alert(1)", null)]
    [InlineData(null, null)]
    public void A_trace_id_is_32_hexadecimal_digits(string? traceParent, string? expected)
        => Assert.Equal(expected, TraceLink.TraceId(traceParent));
}
