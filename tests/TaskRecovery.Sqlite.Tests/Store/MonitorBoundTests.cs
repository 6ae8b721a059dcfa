using System.Reflection;
using System.Text.RegularExpressions;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>No statement of the read model scans a table that grows with the history. Together with the limits of the searches, this bounds
/// the rows that a question reads.</summary>
public sealed partial class MonitorBoundTests
{
    // These read one row, or as many as they are told to, in the order of the table or of an index.
    private static readonly string[] Allowed = [nameof(EntryListSql.Oldest), nameof(ListSql.CountEnded), nameof(ListSql.CountUnwell)];

    [Fact]
    public async Task No_question_scans_the_history()
    {
        using var file = new TemporaryDatabase();
        using var database = file.Open();
        await new SqliteMigrator(database).MigrateAsync(TestContext.Current.CancellationToken);
        using var session = database.OpenReader();
        var scans = new List<string>();

        foreach (var (name, text) in Statements())
        {
            scans.AddRange(session.PlanOf(text).Where(static step => Scan().IsMatch(step)).Select(step => $"{name}: {step}"));
        }

        Assert.Empty(scans);
    }

    [Theory]
    [InlineData(JobSql.List)]
    [InlineData(JobSql.ListWithoutArgs)]
    [InlineData(JobSql.Search)]
    [InlineData(JobSql.Edge)]
    [InlineData(JobSql.FindWithoutArgs)]
    public async Task A_page_of_jobs_begins_at_its_place(string statement)
    {
        var steps = await PlanOfAsync(statement);

        Assert.Contains(steps, static step => step.StartsWith("SEARCH taskrecovery_jobs USING ", StringComparison.Ordinal));
        Assert.DoesNotContain(steps, static step => step.StartsWith("SCAN ", StringComparison.Ordinal));
        Assert.DoesNotContain(steps, static step => step.Contains("TEMP B-TREE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_search_for_jobs_ends_at_the_last_name_that_it_may_compare()
        => Assert.Contains(
            await PlanOfAsync(JobSql.Search), static step => step.Contains("(name>? AND name<?)", StringComparison.Ordinal));

    [Theory]
    [InlineData(EntryGrouping.Kind, 100_000)]
    [InlineData(EntryGrouping.Queue, 100_000)]
    [InlineData(EntryGrouping.Reason, 25_000)]
    [InlineData(EntryGrouping.State, 25_000)]
    public void A_count_that_looks_up_each_end_examines_no_more_than_a_list_has_time_for(EntryGrouping by, int examined)
    {
        Assert.Equal(examined, new EntryConditions(new EntryQuery()).ExaminedBy(by));
        Assert.Equal(10, new EntryConditions(new EntryQuery { MaxExamined = 10 }).ExaminedBy(by));
        Assert.Equal(100_000, new EntryConditions(new EntryQuery { States = [EntryState.Failed] }).ExaminedBy(by));
    }

    /// <summary>A search ends 3 s after it began, so that one pause must not use up its time.</summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(399, 399)]
    [InlineData(400, 400)]
    [InlineData(60_000, 400)]
    public void A_pause_during_a_read_counts_no_more_than_a_long_read(int read, int counted)
        => Assert.Equal(
            TimeSpan.FromMilliseconds(counted), SqliteMonitorStore.Counted(TimeSpan.FromMilliseconds(read)));

    private static async Task<List<string>> PlanOfAsync(string statement)
    {
        using var file = new TemporaryDatabase();
        using var database = file.Open();
        await new SqliteMigrator(database).MigrateAsync(TestContext.Current.CancellationToken);
        using var session = database.OpenReader();
        return session.PlanOf(statement);
    }

    private static IEnumerable<(string Name, string Text)> Statements()
        => from type in new[] { typeof(MonitorSql), typeof(EntryListSql), typeof(OperationSql), typeof(ListSql) }
           from field in type.GetFields(BindingFlags.Static | BindingFlags.Public)
           where !Allowed.Contains(field.Name)
           let text = (string)field.GetValue(null)!
           where text.TrimStart().StartsWith("select", StringComparison.Ordinal)
           select ($"{type.Name}.{field.Name}", text);

    // A scan of an index over few rows (running operations, failed entries) names that index.
    [GeneratedRegex(
        @"^SCAN (e|o|t|s|taskrecovery_(entries|outcomes|tasks|steps|checkpoints|operation_entries))\b(?!.*(running_idx|bad_idx))")]
    private static partial Regex Scan();
}
