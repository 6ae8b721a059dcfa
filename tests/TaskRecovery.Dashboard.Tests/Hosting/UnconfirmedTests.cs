using System.Net;
using System.Text;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Hosting;

/// <summary>An action that was stored without an answer is not called undone, and no page leads to repeating it.</summary>
public sealed class UnconfirmedTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("jobs/01932f5e-9c1b-7cc3-8f5a-2f6d3a3f0b11/run", "run", "jobs/01932f5e-9c1b-7cc3-8f5a-2f6d3a3f0b11", "events")]
    [InlineData("queues/pause", "pause", "queues", "events")]
    [InlineData("operations/7/start", "start", "operations/7", "events")]
    [InlineData("entries/4104/retry", "start", "entries/4104", "operations/7", "events")]
    public async Task The_answer_names_the_uncertainty_and_where_to_look(string action, string stored, params string[] look)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });
        app.Operations.Unconfirmed = (stored, new StoreUnavailableException("the answer was lost"));

        using var page = await app.Client.SendAsync(Requests.Post($"jobs/{action}"), Cancellation);
        var text = await page.Content.ReadAsStringAsync(Cancellation);
        using var request = Requests.Post($"jobs/api/{action}");
        request.Content = new StringContent(
            action == "queues/pause" ? """{"name":"mail"}""" : "{}", Encoding.UTF8, "application/json");
        using var answer = await app.Client.SendAsync(request, Cancellation);
        var problem = await answer.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(2, app.Operations.Done.Count(done => done.Action.StartsWith(stored, StringComparison.Ordinal)));
        Assert.Equal([HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable], [page.StatusCode, answer.StatusCode]);
        Assert.Contains("It is not known whether this was done.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("reload", text, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(look, Links(text, root: string.Concat(action.Where(static one => one == '/').Select(static _ => "../"))));
        Assert.Contains("It is not known whether this was done.", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("reload", problem, StringComparison.OrdinalIgnoreCase);
        Assert.Contains($"Ask for {string.Join(", ", look)}.", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_that_takes_too_long_is_not_called_a_question_to_narrow()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        app.Operations.Unconfirmed = ("delete", new TimeoutException("the step took too long"));

        using var response = await app.Client.SendAsync(Requests.Post($"jobs/jobs/{Shop.ReportJob}/delete"), Cancellation);
        var page = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        Assert.Contains("It is not known whether this was done.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Ask for less", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("operations/prepare")]
    [InlineData("entries/4104/retry")]
    public async Task A_count_that_takes_too_long_has_changed_nothing(string action)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        app.Operations.Unconfirmed = ("preview", new TimeoutException("the count took too long"));

        using var response = await app.Client.SendAsync(Requests.Post($"jobs/{action}"), Cancellation);
        var page = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        Assert.Contains("Ask for less", page, StringComparison.Ordinal);
        Assert.DoesNotContain("not known", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_that_can_not_be_read_was_not_changed()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup
        {
            Configure = static options => options.Scope = static _ => new EntryScope { Queues = ["mail"] },
        });
        app.Monitor.Fail(new StoreUnavailableException("the store is away"), "life");

        using var response = await app.Client.SendAsync(Requests.Post("jobs/entries/4104/retry"), Cancellation);
        var page = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains("The database does not answer", page, StringComparison.Ordinal);
        Assert.DoesNotContain("not known", page, StringComparison.Ordinal);
        Assert.Empty(app.Operations.Done);
    }

    [Fact]
    public async Task A_user_with_a_scope_is_not_sent_to_the_events()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup
        {
            Configure = static options => options.Scope = static _ => new EntryScope { Queues = ["mail"] },
        });
        app.Operations.Unconfirmed = ("pause", new StoreUnavailableException("the answer was lost"));

        using var response = await app.Client.SendAsync(Requests.Post("jobs/queues/pause"), Cancellation);
        var page = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(["queues"], Links(page, "../"));
    }

    private static IEnumerable<string> Links(string page, string root)
        => page.Split($"<a href=\"{root}").Skip(1).Select(static rest => rest[..rest.IndexOf('"', StringComparison.Ordinal)]);
}
