using System.Net;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Security;

/// <summary>Who has seen data stands in the log, whatever the request looks like.</summary>
public sealed class OpenedDataTests
{
    private static readonly string EntryPage = $"jobs/entries/{Shop.FailedEntry}";

    [Theory]
    [InlineData(null)]
    [InlineData("\"another-version\"")]
    public async Task A_page_with_data_that_is_sent_is_logged(string? knownVersion)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        using var request = Requests.Get(EntryPage, roles: "data");
        if (knownVersion is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", knownVersion);
        }

        using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Single(Opened(app), line => line.Contains($"entry {Shop.FailedEntry}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/args")]
    public async Task Data_that_a_broken_connection_may_have_carried_are_logged(string part)
    {
        using var connection = new BrokenConnection();
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { ResponseBody = connection });

        using var response = await app.Client.SendAsync(
            Requests.Get(EntryPage + part, roles: "data"), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Single(Opened(app), static line => line.Contains($"entry {Shop.FailedEntry}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_page_that_is_not_sent_again_or_shows_no_data_is_not_logged()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        using var first = await app.Client.SendAsync(Requests.Get(EntryPage, roles: "data"), TestContext.Current.CancellationToken);
        using var again = Requests.Get(EntryPage, roles: "data");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);

        using var unchanged = await app.Client.SendAsync(again, TestContext.Current.CancellationToken);
        using var withoutData = await app.Client.SendAsync(Requests.Get(EntryPage), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        Assert.Single(Opened(app));
    }

    [Fact]
    public async Task The_arguments_of_a_job_are_data_too()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        using var response = await app.Client.SendAsync(
            Requests.Get($"jobs/jobs/{Shop.ReportJob}", roles: "data"), TestContext.Current.CancellationToken);

        Assert.Single(Opened(app), static line => line.Contains($"job {Shop.ReportJob}", StringComparison.Ordinal));
    }

    // The event "opened the data of".
    private static IEnumerable<string> Opened(DashboardApp app)
        => app.Log.Lines.Where(static line => line.StartsWith("6002: ", StringComparison.Ordinal));

    private sealed class BrokenConnection : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
            => throw new IOException("The connection was reset.");
    }
}
