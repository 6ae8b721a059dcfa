using System.Net;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Hosting;

/// <summary>Under a path base, the address of the dashboard ends with a slash and that of a page does not.</summary>
public sealed class PathBaseTests
{
    [Theory]
    [InlineData("/shop", "/jobs", "shop/jobs", "./jobs/")]
    [InlineData("/shop", "/", "shop", "./shop/")]
    [InlineData("/shop", "/", "shop?a=b", "./shop/?a=b")]
    [InlineData("/big/shop", "/", "big/shop", "./shop/")]
    [InlineData("/shop", "/", "shop/queues/", "../queues")]
    [InlineData("/shop", "/", "shop/", null)]
    public async Task An_address_with_the_wrong_end_leads_to_the_right_one(string pathBase, string path, string visited, string? expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { PathBase = pathBase, Path = path });

        using var response = await app.Client.SendAsync(Requests.Get(visited), TestContext.Current.CancellationToken);

        Assert.Equal(expected is null ? HttpStatusCode.OK : HttpStatusCode.Redirect, response.StatusCode);
        Assert.Equal(expected, response.Headers.Location?.OriginalString);
    }
}
