using System.Net.Http.Json;
using TaskRecovery.Dashboard.Pages;
using TaskRecovery.Dashboard.Security;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Hosting;

/// <summary>A name, a key or a text with white space at its ends is another one than without.</summary>
public sealed class ExactNameTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("queues", "queue")]
    [InlineData("kinds", "kind")]
    public async Task A_pause_is_of_the_very_name_and_so_is_its_undo(string path, string what)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });

        using var paused = await app.Client.SendAsync(
            Requests.Post($"jobs/{path}/pause", fields: [("name", " mail "), ("reason", " because ")]), Cancellation);
        var location = paused.Headers.Location!.OriginalString;
        using var redirected = Requests.Get($"jobs/{location["../".Length..]}", roles: "ops", site: "same-origin");
        using var next = await app.Client.SendAsync(redirected, Cancellation);
        using var request = Requests.Post($"jobs/api/{path}/resume");
        request.Content = JsonContent.Create(new { name = " mail " });
        using var resumed = await app.Client.SendAsync(request, Cancellation);

        Assert.Equal([$"pause {what}  mail ", $"resume {what}  mail "], app.Operations.Done.Select(static done => done.Action));
        Assert.Equal(" because ", app.Operations.Done[0].Audit.Reason);
        Assert.EndsWith($"?did=paused&of={path}&name=%20mail%20&why=%20because%20", location, StringComparison.Ordinal);
        Assert.Contains(
            $"action=\"./{path}/resume\"><input type=\"hidden\" name=\"name\" value=\" mail \">",
            await next.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_blank_name_is_none()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        using var response = await app.Client.SendAsync(Requests.Post("jobs/queues/pause", fields: [("name", "  ")]), Cancellation);

        Assert.Contains("did=refused-missing", response.Headers.Location!.OriginalString, StringComparison.Ordinal);
        Assert.Empty(app.Operations.Done);
    }

    [Theory]
    [InlineData("monthly-report ", 1)]
    [InlineData("monthly-report", 0)]
    public async Task A_job_is_deleted_by_its_very_name(string typed, int expected)
    {
        var system = Shop.Open();
        var at = system.Jobs.FindIndex(static job => job.Id == Shop.ReportJob);
        system.Jobs[at] = system.Jobs[at] with { Name = "monthly-report " };
        await using var app = await DashboardApp.StartAsync(system);

        using var response = await app.Client.SendAsync(
            Requests.Post($"jobs/jobs/{Shop.ReportJob}/delete", fields: [("confirm", typed)]), Cancellation);

        Assert.Equal(expected, app.Operations.Done.Count);
    }

    [Fact]
    public void A_condition_is_compared_as_it_is_unless_it_is_a_number_a_time_or_an_id()
    {
        var names = EntryForm.Parse(
            "queue=%20q%20&kind=%20k%20&reason=%20r%20&node=%20n%20&key=%20u%20&meta=%20m%20%3D%20v%20&text=%20t%20", All()).Query;
        var others = EntryForm.Parse(
            $"state=%20failed%20&job=%20{Shop.ReportJob}%20&from=%202026-11-29%20&trace=%204bf92f3577b34da6a3ce929d0e0e4736%20", All());

        Assert.Equal((" q ", " k ", " r ", " n "), (names.Queue, names.Kind, names.Reason, names.Node));
        Assert.Equal((" u ", " t "), (names.UniqueKey, names.Text));
        Assert.Equal(KeyValuePair.Create(" m ", " v "), names.Metadata);
        Assert.Equal("queue=%20q%20", EntryForm.Parse("queue=%20q%20&kind=%20", All()).Address);
        Assert.Equal([EntryState.Failed], others.Query.States);
        Assert.Empty(others.Problems);
        Assert.Equal(Shop.ReportJob, others.Query.JobId);
        Assert.Equal(new DateTimeOffset(2026, 11, 29, 0, 0, 0, TimeSpan.Zero), others.Query.CreatedFrom);
        Assert.Equal("4bf92f3577b34da6a3ce929d0e0e4736", others.Query.TraceId);
    }

    [Theory]
    [InlineData("jobs/events?node=%20a%20&actor=%20b%20")]
    [InlineData("jobs/api/events?node=%20a%20&actor=%20b%20")]
    public async Task Events_are_of_the_very_node_and_actor(string path)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });

        using var response = await app.Client.SendAsync(Requests.Get(path), Cancellation);

        Assert.Equal((" a ", " b "), (app.Monitor.EventsAsked?.Node, app.Monitor.EventsAsked?.Actor));
    }

    [Fact]
    public async Task A_search_for_a_key_is_for_what_was_typed()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        using var response = await app.Client.SendAsync(Requests.Get("jobs/search?q=%20a%3Db%20", roles: "data"), Cancellation);
        var page = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.All(
            (string[])["key", "text", "meta"],
            name => Assert.Contains($"entries?{name}=%20a%3Db%20\"", page, StringComparison.Ordinal));
        Assert.Contains("Search: <bdi>a=b</bdi>", page, StringComparison.Ordinal);
    }

    private static Access All() => new(Data: true, Search: true, Operate: true, "ada");
}
