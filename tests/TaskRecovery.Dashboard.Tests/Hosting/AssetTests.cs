using System.Net;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Hosting;

/// <summary>The style sheet and the script are small, and are loaded once.</summary>
public sealed class AssetTests
{
    private const int MaxScript = 12_800;
    private const int MaxStyle = 15 * 1_024;

    [Fact]
    public void The_script_and_the_style_sheet_are_small()
    {
        var assets = new Assets();

        Assert.InRange(assets.Script.Plain.Length, 1_000, MaxScript);
        Assert.InRange(assets.Style.Compressed.Length, 1_000, MaxStyle);
    }

    [Fact]
    public void A_process_compresses_them_once()
    {
        var (one, other) = (new Assets(), new Assets());

        Assert.Same(one.Style, other.Style);
        Assert.Same(one.Script, other.Script);
        Assert.Same(one.Icon, other.Icon);
    }

    [Fact]
    public async Task An_asset_is_kept_for_ever_under_the_hash_of_its_content()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Empty());
        var assets = new Assets();

        foreach (var asset in (AssetFile[])[assets.Style, assets.Script, assets.Icon])
        {
            using var response = await app.Client.SendAsync(Requests.Get($"jobs/-/{asset.Name}"), TestContext.Current.CancellationToken);

            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(asset.ContentType.Split(';')[0], response.Content.Headers.ContentType?.MediaType);
            Assert.Contains("immutable", response.Headers.GetValues("Cache-Control").Single(), StringComparison.Ordinal);
            Assert.Equal(asset.Plain, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("dashboard.000000000000.css", "text/css")]
    [InlineData("dashboard.000000000000.js", "text/javascript")]
    [InlineData("icon.000000000000.svg", "image/svg+xml")]
    public async Task The_asset_of_another_version_is_that_of_this_one_and_is_not_kept(string name, string type)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Empty());

        using var response = await app.Client.SendAsync(Requests.Get($"jobs/-/{name}"), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(type, response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("no-store", response.Headers.GetValues("Cache-Control").Single());
    }

    [Theory]
    [InlineData("jobs/-/dashboard.css")]
    [InlineData("jobs/-/dashboard.0000.css")]
    [InlineData("jobs/-/dashboard.000000000000.svg")]
    [InlineData("jobs/-/icon.000000000000.js")]
    [InlineData("jobs/-/..%2fappsettings.json")]
    public async Task Another_name_is_not_found(string path)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Empty());

        using var response = await app.Client.SendAsync(Requests.Get(path), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }
}
