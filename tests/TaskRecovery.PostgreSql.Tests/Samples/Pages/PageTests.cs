using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Samples.Pages;

/// <summary>The code of the pages for operators, and of the page about EF Core, is that of this folder and of the samples
/// that a test runs without a store, so that it compiles.</summary>
public sealed class PageTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("configuration.md", 2)]
    [InlineData("deployment.md", 2)]
    [InlineData("ef-core.md", 8)]
    [InlineData("operations.md", 7)]
    [InlineData("security.md", 2)]
    public void Every_example_of_a_page_is_in_this_folder(string page, int count)
    {
        var code = PageExamples.CodeOf("tests/TaskRecovery.PostgreSql.Tests/Samples/Pages", "*Page.cs")
            + PageExamples.CodeOf("tests/TaskRecovery.Testing.Tests/Samples", "OwnWait*.cs");
        var examples = PageExamples.Of(page);

        Assert.Equal(count, examples.Count);
        Assert.All(
            examples.SelectMany(static example => example.Split("\n\n")),
            part => Assert.Contains(PageExamples.Squeeze(part), code, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_tool_reads_and_acts_without_a_host()
    {
        await using var database = await MigratedDatabase.CreateAsync("pages");

        await OperationsPage.OpenAsync(database.ConnectionString, static async (monitor, operate) =>
        {
            await OperationsPage.ShowAsync(monitor);
            Assert.Empty((await OperationsPage.FindAsync(monitor)).Entries);

            await OperationsPage.ActAsync(operate, entryId: 1, DateTimeOffset.UtcNow.AddHours(8));
            var started = await OperationsPage.RetryAllAsync(operate, new EntryQuery { Kind = "mail.*" }, new AuditInfo("anna"));
            Assert.Equal(OperationResult.Done, started.Result);
            Assert.NotEmpty((await operate.ListOperationsAsync(new OperationQuery(), Cancellation)).Operations);
        });
    }
}
