namespace TaskRecovery.Testing.Tests.Hosts;

/// <summary>What an expectation about entries shows if it is not met.</summary>
public sealed class AssertionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_enqueued_entry_is_found_in_any_state()
    {
        await using var application = await StartAsync();
        await EnqueueAsync(application, 1);
        await EnqueueAsync(application, 2);
        await application.Test.DrainAsync(cancellationToken: Cancellation);

        var found = await application.Test.ShouldHaveEnqueuedAsync<Numbers>(numbers => numbers.First == 2, cancellationToken: Cancellation);

        Assert.Equal((new Numbers(2), EntryState.Completed, 2L), (found.Args, found.Entry.State, found.Entry.Id));
        Assert.Equal([1, 2], (await application.Test.ListEntriesAsync<Numbers>(Cancellation)).Select(entry => entry.Args.First));
        await application.Test.ShouldHaveEnqueuedAsync<Numbers>(count: 2, cancellationToken: Cancellation);
        await application.Test.ShouldNotHaveEnqueuedAsync<Numbers>(numbers => numbers.First == 3, Cancellation);
    }

    [Fact]
    public async Task A_missing_entry_shows_a_table_of_what_is_there()
    {
        await using var application = await StartAsync();
        await EnqueueAsync(application, 1);
        await application.Test.DrainAsync(cancellationToken: Cancellation);
        await EnqueueAsync(application, 22);

        var failed = await Assert.ThrowsAsync<TestFailedException>(
            () => application.Test.ShouldHaveEnqueuedAsync<Numbers>(numbers => numbers.First == 3, cancellationToken: Cancellation));

        var lines = failed.Message.Split('\n');
        Assert.Equal("An entry of Numbers with matching arguments should have been enqueued, but there are 0. The queue has:", lines[0]);
        Assert.Equal("  id  kind     queue    state      attempt  due                   args", lines[1]);
        Assert.Equal("""  1   numbers  default  Completed  1/10                           {"first":1,"count":1}""", lines[2]);
        Assert.StartsWith("  2   numbers  default  Waiting    0/10     ", lines[3], StringComparison.Ordinal);
        Assert.EndsWith("""Z  {"first":22,"count":1}""", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unexpected_entry_or_another_number_of_them_is_a_failure()
    {
        await using var application = await StartAsync();
        await EnqueueAsync(application, 1);

        var unexpected = await Assert.ThrowsAsync<TestFailedException>(
            () => application.Test.ShouldNotHaveEnqueuedAsync<Numbers>(cancellationToken: Cancellation));
        var counted = await Assert.ThrowsAsync<TestFailedException>(
            () => application.Test.ShouldHaveEnqueuedAsync<Numbers>(count: 2, cancellationToken: Cancellation));

        Assert.StartsWith(
            "No entry of Numbers should have been enqueued, but there is 1. The queue has:", unexpected.Message, StringComparison.Ordinal);
        Assert.StartsWith(
            "2 entries of Numbers should have been enqueued, but there is 1. The queue has:", counted.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_queue_says_so()
    {
        await using var application = await StartAsync();

        var failed = await Assert.ThrowsAsync<TestFailedException>(
            () => application.Test.ShouldHaveEnqueuedAsync<Numbers>(cancellationToken: Cancellation));

        Assert.EndsWith("Nothing was enqueued.", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kind_that_is_not_registered_is_named_with_those_that_are()
    {
        await using var application = await StartAsync();

        var failed = await Assert.ThrowsAsync<TestFailedException>(
            () => application.Test.ShouldNotHaveEnqueuedAsync<Unknown>(cancellationToken: Cancellation));

        Assert.Contains("The application registers Numbers ('numbers').", failed.Message, StringComparison.Ordinal);
    }

    private sealed record Unknown;

    private static Task<TestApplication> StartAsync() => TestApplication.StartAsync((_, _) => Task.CompletedTask);

    private static async Task EnqueueAsync(TestApplication application, int number)
        => await application.Queue.EnqueueAsync(new Numbers(number), cancellationToken: Cancellation);
}
