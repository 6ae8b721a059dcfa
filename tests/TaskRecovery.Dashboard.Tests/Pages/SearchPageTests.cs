using System.Net;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>A search finds what exists, and leads to no page that does not.</summary>
public sealed class SearchPageTests
{
    [Theory]
    [InlineData("01932f5e-9c1b-7cc3-8f5a-2f6d3a3f0b99")]
    [InlineData("01932F5E9C1B7CC38F5A2F6D3A3F0B99")]
    public async Task A_task_of_a_deleted_job_is_shown_among_the_results(string text)
    {
        var system = Shop.Open();
        var job = system.Jobs[3];
        var at = system.Tasks.FindIndex(task => task.JobId == job.Id);
        system.Tasks[at] = system.Tasks[at] with { Id = Guid.Parse(text) };
        await using var app = await DashboardApp.StartAsync(system);
        var (status, location, _) = await SearchAsync(app, text);
        Assert.Equal((HttpStatusCode.Found, $"./jobs/{job.Id}"), (status, location));

        system.Jobs.Remove(job);
        app.Time.Advance(TimeSpan.FromSeconds(3));
        var (shown, none, page) = await SearchAsync(app, text);

        Assert.Equal(HttpStatusCode.OK, shown);
        Assert.Null(none);
        Assert.Contains($"id=\"t{Guid.Parse(text):n}\"", page, StringComparison.Ordinal);
        Assert.Contains("deleted job", page, StringComparison.Ordinal);
    }

    private static async Task<(HttpStatusCode Status, string? Location, string Page)> SearchAsync(DashboardApp app, string text)
    {
        using var response = await app.Client.SendAsync(Requests.Get($"jobs/search?q={text}"), TestContext.Current.CancellationToken);
        return (
            response.StatusCode, response.Headers.Location?.OriginalString,
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
