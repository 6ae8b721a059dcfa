using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>What the page of the entries counts and links to is what its filter selects.</summary>
public sealed class EntriesPageTests(OpenShop open) : IClassFixture<OpenShop>
{
    private const string Number = "<span class=\"number\">";

    [Theory]
    [InlineData("", true)]
    [InlineData("?state=failed", true)]
    [InlineData("?queue=mail", true)]
    [InlineData("?state=waiting&queue=mail&before=4100", true)]
    [InlineData("?kind=mail.send", false)]
    [InlineData("?queue=mail&reason=crash_loop", false)]
    [InlineData("?state=failed&from=2026-11-29", false)]
    public async Task The_states_have_numbers_only_if_they_count_what_the_filter_matches(string filter, bool expected)
    {
        var page = await ReadAsync(open.App, $"jobs/entries{filter}");
        var tabs = page[page.IndexOf("aria-label=\"State\"", StringComparison.Ordinal)..];
        tabs = tabs[..tabs.IndexOf("</nav>", StringComparison.Ordinal)];

        Assert.Contains("Waiting", tabs, StringComparison.Ordinal);
        Assert.Equal(expected, tabs.Contains(Number, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("jobs/", "without a reason")]
    [InlineData("jobs/entries?state=failed&group=reason", "none")]
    public async Task A_group_without_a_name_has_no_link_because_no_filter_selects_it(string path, string name)
    {
        var system = Shop.Open();
        system.FailedReasons.Add(new EntryGroup("", new Count(2)));
        await using var app = await DashboardApp.StartAsync(system);

        var page = await ReadAsync(app, path);

        Assert.Contains("<bdi>attempts exhausted</bdi></a>", page, StringComparison.Ordinal);
        Assert.Contains($"<bdi>{name}</bdi>", page, StringComparison.Ordinal);
        Assert.DoesNotContain($"<bdi>{name}</bdi></a>", page, StringComparison.Ordinal);
    }

    private static async Task<string> ReadAsync(DashboardApp app, string path)
    {
        using var response = await app.Client.SendAsync(Requests.Get(path, roles: "ops"), TestContext.Current.CancellationToken);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}
