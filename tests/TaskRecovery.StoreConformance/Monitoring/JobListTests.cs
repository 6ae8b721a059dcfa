using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <summary>Pages of jobs, searches in their names, and jobs by id.</summary>
public abstract class JobListTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    [Fact]
    public async Task Jobs_are_listed_by_name_in_pages_without_their_arguments()
    {
        await GivenJobsAsync("b", "ä", "a", "B", "c");

        var (names, jobs) = await ListAsync(new JobQuery { Limit = 2 });
        var stored = await Jobs.ListAsync(Cancellation);

        Assert.Equal(["B a", "b c", "ä"], names);
        Assert.Equal(stored.Select(static job => job with { Args = "" }), jobs);
        Assert.All(stored, static job => Assert.NotEmpty(job.Args));
        Assert.Null((await Monitor.ListJobsAsync(new JobQuery { Limit = 5 }, Cancellation)).NextAfter);
    }

    [Fact]
    public async Task Jobs_are_found_by_a_part_of_their_name()
    {
        await GivenJobsAsync("daily report", "digest", "monthly REPORT", "100%", "report");

        var all = await ListAsync(new JobQuery { NameContains = "Report", Limit = 2 });
        var sign = await ListAsync(new JobQuery { NameContains = "%" });
        var none = await Monitor.ListJobsAsync(new JobQuery { NameContains = "weekly" }, Cancellation);

        Assert.Equal(["daily report monthly REPORT", "report"], all.Names);
        Assert.Equal(["100%"], sign.Names);
        Assert.Equal((0, null), (none.Jobs.Count, none.NextAfter));
        Assert.All(all.Jobs, static job => Assert.Empty(job.Args));
    }

    [Fact]
    public async Task A_search_says_how_many_names_it_has_compared()
    {
        await GivenJobsAsync("a", "b", "c 1", "d", "e 1");

        var first = await Monitor.ListJobsAsync(new JobQuery { NameContains = "1", MaxExamined = 2 }, Cancellation);
        var second = await Monitor.ListJobsAsync(
            new JobQuery { NameContains = "1", MaxExamined = 2, After = first.NextAfter }, Cancellation);
        var third = await Monitor.ListJobsAsync(
            new JobQuery { NameContains = "1", MaxExamined = 2, After = second.NextAfter }, Cancellation);

        Assert.Equal((0, "b"), (first.Jobs.Count, first.NextAfter));
        Assert.Equal(("c 1", "d"), (Assert.Single(second.Jobs).Name, second.NextAfter));
        Assert.Equal(("e 1", null), (Assert.Single(third.Jobs).Name, third.NextAfter));
    }

    [Fact]
    public async Task Jobs_are_found_by_their_ids_without_their_arguments()
    {
        await GivenJobsAsync("a", "b", "c");
        var stored = await Jobs.ListAsync(Cancellation);

        var found = await Monitor.FindJobsAsync([stored[2].Id, Guid.NewGuid(), stored[0].Id, stored[2].Id], Cancellation);

        Assert.Equal(
            [stored[0] with { Args = "" }, stored[2] with { Args = "" }], found.OrderBy(static job => job.Name, StringComparer.Ordinal));
    }

    private async Task GivenJobsAsync(params string[] names)
    {
        foreach (var name in names)
        {
            await GivenJobAsync(name: name);
        }
    }

    private async Task<(IEnumerable<string> Names, IEnumerable<Job> Jobs)> ListAsync(JobQuery query)
    {
        var (names, jobs) = (new List<string>(), new List<Job>());
        do
        {
            var page = await Monitor.ListJobsAsync(query, Cancellation);
            names.Add(string.Join(' ', page.Jobs.Select(static job => job.Name)));
            jobs.AddRange(page.Jobs);
            query = query with { After = page.NextAfter };
        }
        while (query.After is not null);

        return (names, jobs);
    }
}
