using System.Net;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Hosting;

/// <summary>An action that is refused is answered as refused, also if the database's role may only read.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData("jobs/queues/pause")]
    [InlineData("jobs/api/queues/pause")]
    public async Task A_refusal_that_can_t_be_recorded_is_a_refusal(string path)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });
        app.Operations.RefusalFailure = new StoreConfigurationException("permission denied for table events");
        using var request = Requests.Post(path, roles: "", site: "same-origin");
        if (path.Contains("api", StringComparison.Ordinal))
        {
            request.Content = new StringContent("""{"name":"mail"}""", System.Text.Encoding.UTF8, "application/json");
        }

        using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains(app.Log.Lines, static line => line.StartsWith("6006: ", StringComparison.Ordinal));
        Assert.Contains("6004: Recording that 'pause queue mail' was refused failed", app.Log.Lines);
    }

    [Fact]
    public async Task A_refused_host_name_is_shown_and_logged()
    {
        await using var app = await DashboardApp.StartAsync(
            Shop.Open(), new AppSetup { Configure = static options => options.AllowedHosts.Add("ops.example.org") });
        using var request = Requests.Get("jobs/");
        request.Headers.Host = "jobs-svc:8080";

        using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains("which is &#39;jobs-svc&#39; as the application sees it", page, StringComparison.Ordinal);
        Assert.Contains(app.Log.Lines, static line => line.StartsWith("6001: ", StringComparison.Ordinal)
            && line.EndsWith("(Unknown host name 'jobs-svc')", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_database_that_refuses_a_question_is_explained()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        app.Monitor.Fail(new StoreConfigurationException("permission denied for table nodes"), "nodes");

        using var response = await app.Client.SendAsync(Requests.Get("jobs/nodes"), TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains("The database refuses this", page, StringComparison.Ordinal);
        Assert.DoesNotContain("permission denied", page, StringComparison.Ordinal);
    }
}
