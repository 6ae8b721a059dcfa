using System.Text.RegularExpressions;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Security;

/// <summary>A stored text stays a text: every text of the fake system is an attack, and every page is read.</summary>
public sealed partial class InjectionTests(HostileShop hostile, OpenShop open) : IClassFixture<HostileShop>, IClassFixture<OpenShop>
{
    private const string Attack = "\"'><script>window.pwned=1</script><img src=x onerror=window.pwned=1>";

    public static TheoryData<string> Pages
        => [.. Requests.Pages, $"jobs/entries/{Shop.CrashedEntry}?step=2"];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task No_stored_text_becomes_markup(string path)
    {
        using var response = await hostile.App.Client.SendAsync(Requests.Get(
            path, user: Attack.Replace("\"", "", StringComparison.Ordinal), roles: "data,ops"), TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        AssertHarmless(page);
    }

    [Theory]
    [InlineData("jobs/search?q=")]
    [InlineData("jobs/entries?state=")]
    [InlineData("jobs/entries?kind=")]
    [InlineData("jobs/entries?queue=")]
    [InlineData("jobs/entries?reason=")]
    [InlineData("jobs/entries?node=")]
    [InlineData("jobs/entries?job=")]
    [InlineData("jobs/entries?from=")]
    [InlineData("jobs/entries?ended-from=")]
    [InlineData("jobs/entries?key=")]
    [InlineData("jobs/entries?meta=")]
    [InlineData("jobs/entries?text=")]
    [InlineData("jobs/entries?before=")]
    [InlineData("jobs/entries?group=")]
    [InlineData("jobs/entries?x")]
    [InlineData("jobs/events?show=")]
    [InlineData("jobs/events?node=")]
    [InlineData("jobs/events?actor=")]
    [InlineData("jobs/tasks?state=")]
    [InlineData("jobs/jobs?after=")]
    [InlineData("jobs/?range=")]
    [InlineData("jobs/?did=")]
    [InlineData("jobs/?did=retried&n=")]
    [InlineData("jobs/?did=retried&n=1&undo=")]
    [InlineData("jobs/entries/4127?step=")]
    [InlineData("jobs/operations/5?after=")]
    public async Task No_parameter_becomes_markup(string path)
    {
        using var response = await open.App.Client.SendAsync(
            Requests.Get(path + Uri.EscapeDataString(Attack), roles: "data,ops"), TestContext.Current.CancellationToken);

        AssertHarmless(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static void AssertHarmless(string page)
    {
        Assert.NotEmpty(page);
        Assert.DoesNotContain("<script>", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<img src=x", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotMatch(EventHandler(), page);
        Assert.DoesNotMatch(ScriptAddress(), page);
        Assert.DoesNotContain('\u202e', page);
        Assert.DoesNotContain('\u001b', page);
        Assert.DoesNotContain('\0', page);
    }

    [GeneratedRegex(
        @"<[a-z][^<>""']*(?:(?:""[^""]*""|'[^']*')[^<>""']*)*\son\w+\s*=", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex EventHandler();

    [GeneratedRegex(@"(href|src|action)\s*=\s*[""']?\s*javascript:", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex ScriptAddress();
}
