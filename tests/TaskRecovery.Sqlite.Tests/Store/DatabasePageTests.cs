using TaskRecovery.TestSupport;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>The query that docs/database.md prints is a part of the one that the tests run.</summary>
public sealed class DatabasePageTests
{
    [Fact]
    public void The_page_has_all_that_the_invariant_says_of_entries()
    {
        var page = PageExamples.Squeeze(Assert.Single(
            PageExamples.OfSql("database.md"), static query => query.StartsWith("with running (", StringComparison.Ordinal)));
        var ofTests = PageExamples.Squeeze(InvariantSql.Violations);

        var parts = page.Split(["select*from(", "unionall", ")limit1000;"], StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(7, parts.Length);
        Assert.All(parts, part => Assert.Contains(part, ofTests, StringComparison.Ordinal));

        // The first part of the query of the tests is what all its parts use.
        var notOnPage = ofTests.Split("unionall").Skip(1).Where(part => !page.Contains(part, StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(notOnPage);
        Assert.All(notOnPage, static part => Assert.Matches("^select'(job|task)'", part));
    }
}
