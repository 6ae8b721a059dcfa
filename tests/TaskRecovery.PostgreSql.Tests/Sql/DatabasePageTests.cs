using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Sql;

/// <summary>The query that docs/database.md prints is a part of the one that the tests run.</summary>
public sealed class DatabasePageTests
{
    [Fact]
    public void The_page_has_all_that_the_invariant_says_of_entries()
    {
        var page = Assert.Single(
            PageExamples.OfSql("database.md"), static query => query.StartsWith("with places as (", StringComparison.Ordinal));

        // The name of the column is for the reader.
        var entries = PageExamples.Squeeze(page).TrimEnd(';').Replace("asviolation", "", StringComparison.Ordinal);
        var ofTests = PageExamples.Squeeze(RecoverySql.Invariant).Replace("{schema}", "taskrecovery", StringComparison.Ordinal);
        var jobs = PageExamples.Squeeze(JobInvariantSql.Clauses).Replace("{schema}", "taskrecovery", StringComparison.Ordinal);
        Assert.Equal(ofTests, $"{entries}unionall{jobs}");
    }
}
