using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Security;

/// <summary>A link can't show a note about an action that the user never did, nor a button that undoes something else.</summary>
public sealed class LinkedNoteTests
{
    private const string Path = "jobs/?did=cancelled&n=1&undo=12";

    [Theory]
    [InlineData("cross-site")]
    [InlineData("same-site")]
    [InlineData("none")]
    public async Task A_link_from_elsewhere_shows_no_note(string site)
    {
        var page = await OpenAsync(site);

        Assert.DoesNotContain("operations/12/undo", page, StringComparison.Ordinal);
        Assert.DoesNotContain("is cancelled, or", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_after_an_action_has_the_note_and_its_undo()
    {
        var page = await OpenAsync("same-origin");

        Assert.Contains("operations/12/undo", page, StringComparison.Ordinal);
        Assert.Contains("Entry 1 is cancelled", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_browser_that_does_not_say_where_it_comes_from_gets_the_words_alone()
    {
        var page = await OpenAsync(null);

        Assert.DoesNotContain("operations/12/undo", page, StringComparison.Ordinal);
        Assert.Contains("Entry 1 is cancelled", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://{0}/jobs/entries", true, true)]
    [InlineData("http://evil.example/jobs/entries", false, false)]
    [InlineData("not an address", false, false)]
    public async Task Without_tls_the_referrer_says_it(string referrer, bool hasUndo, bool hasNote)
    {
        var page = await OpenAsync(null, referrer);

        Assert.Equal(hasUndo, page.Contains("operations/12/undo", StringComparison.Ordinal));
        Assert.Equal(hasNote, page.Contains("Entry 1 is cancelled", StringComparison.Ordinal));
    }

    private static async Task<string> OpenAsync(string? site, string? referrer = null)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        using var request = Requests.Get(Path, roles: "ops", site: site);
        if (site is not null)
        {
            request.Headers.Add("Sec-Fetch-Mode", "navigate");
            request.Headers.Add("Sec-Fetch-Dest", "document");
        }

        if (referrer is not null)
        {
            request.Headers.TryAddWithoutValidation(
                "Referer", referrer.Replace("{0}", app.Address.Authority, StringComparison.Ordinal));
        }

        using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}
