namespace TaskRecovery.Dashboard.Pages;

/// <summary>Sums of counts.</summary>
internal static class Counts
{
    /// <summary>The sum of some counts, which is as exact as the least exact of them.</summary>
    public static Count Sum(IEnumerable<Count> counts)
        => counts.Aggregate(new Count(0), static (sum, one) => new Count(
            sum.Value + one.Value, one.Precision > sum.Precision ? one.Precision : sum.Precision));
}
