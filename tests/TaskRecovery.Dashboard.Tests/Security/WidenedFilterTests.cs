using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Security;

/// <summary>A condition that can't be used never disappears: an action on "all that match" would then change more than was shown.</summary>
public sealed class WidenedFilterTests
{
    [Fact]
    public async Task A_long_filter_reaches_the_operation_whole()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        var text = new string('名', 400);

        using var response = await app.Client.SendAsync(
            Requests.Post(
                "jobs/operations/prepare", roles: "data,ops",
                fields: [("do", "retry-all"), ("filter", $"state=failed&text={Uri.EscapeDataString(text)}")]),
            TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
        Assert.Equal(text, app.Operations.Prepared!.Query!.Text);
    }

    [Fact]
    public async Task What_ended_in_a_time_is_all_that_an_operation_changes()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        const string Filter = "state=failed&ended-from=2026-11-29T02:00Z&ended-to=2026-11-29T03:30%2B01:00";

        using var response = await app.Client.SendAsync(
            Requests.Post("jobs/operations/prepare", fields: [("do", "retry-all"), ("filter", Filter)]),
            TestContext.Current.CancellationToken);
        using var page = await app.Client.SendAsync(Requests.Get($"jobs/entries?{Filter}"), TestContext.Current.CancellationToken);
        var shown = await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        var query = app.Operations.Prepared!.Query!;
        var begin = new DateTimeOffset(2026, 11, 29, 2, 0, 0, TimeSpan.Zero);
        Assert.Equal((begin, begin.AddMinutes(30)), (query.EndedFrom!.Value, query.EndedTo!.Value));
        Assert.Null(query.CreatedFrom ?? query.CreatedTo);
        Assert.Contains("name=\"ended-from\" value=\"2026-11-29T02:00Z\"", shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text", 1_001)]
    [InlineData("kind", 1_001)]
    public async Task A_condition_that_is_too_long_prepares_nothing(string condition, int length)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        using var response = await app.Client.SendAsync(
            Requests.Post(
                "jobs/operations/prepare", roles: "data,ops",
                fields: [("do", "cancel-all"), ("filter", $"state=waiting&{condition}={new string('x', length)}")]),
            TestContext.Current.CancellationToken);
        using var page = await app.Client.SendAsync(
            Requests.Get($"jobs/entries?{condition}={new string('x', length)}", roles: "data"), TestContext.Current.CancellationToken);
        var shown = await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Null(app.Operations.Prepared);
        Assert.Contains($"The condition &#39;{condition}&#39; has 1,001 characters. Use at most 1,000.", shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("stat=failed", "&#39;stat&#39; is not a condition. Use state, queue, kind,")]
    [InlineData("kind=", "The condition &#39;kind&#39; has no value.")]
    [InlineData("state=failed&kind=%20", "The condition &#39;kind&#39; has no value.")]
    [InlineData("state=failed&before=17", "&#39;before&#39; is not a condition.")]
    [InlineData("state=failed&state=waiting", "&#39;failed,waiting&#39; is not a state.")]
    [InlineData("state=failed&from=11/12/2026", "&#39;11/12/2026&#39; is not a time.")]
    [InlineData("state=failed&ended-to=22:30", "&#39;22:30&#39; is not a time.")]
    public async Task A_filter_that_is_not_wholly_understood_prepares_nothing(string filter, string problem)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });

        using var response = await app.Client.SendAsync(
            Requests.Post("jobs/operations/prepare", fields: [("do", "cancel-all"), ("filter", filter)]),
            TestContext.Current.CancellationToken);
        using var answer = await app.Client.SendAsync(
            ToApi(new { @do = "cancel-all", filter, all = true }), TestContext.Current.CancellationToken);

        Assert.Null(app.Operations.Prepared);
        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (response.StatusCode, answer.StatusCode));
        Assert.Contains(
            problem, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("jobs/entries?stat=failed")]
    [InlineData("jobs/api/entries?stat=failed")]
    [InlineData("jobs/api/groups?by=kind&kinds=mail")]
    public async Task A_list_with_a_condition_that_does_not_exist_is_not_shown(string path)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });

        using var response = await app.Client.SendAsync(Requests.Get(path), TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Contains("is not a condition", page, StringComparison.Ordinal);
        Assert.DoesNotContain("list", app.System.Asked);
    }

    [Theory]
    [InlineData("")]
    [InlineData("kind=*")]
    public async Task All_entries_are_meant_only_if_that_is_said(string filter)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });

        using var unsaid = await app.Client.SendAsync(ToApi(new { @do = "cancel-all", filter }), TestContext.Current.CancellationToken);
        Assert.Contains(
            "filter-missing", await unsaid.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Null(app.Operations.Prepared);

        using var said = await app.Client.SendAsync(
            ToApi(new { @do = "cancel-all", filter, all = true }), TestContext.Current.CancellationToken);
        var answer = await said.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.NotNull(app.Operations.Prepared);
        Assert.Equal(
            ("prepared", 1), (answer.GetProperty("result").GetString(), answer.GetProperty("entries").GetProperty("value").GetInt64()));
    }

    [Fact]
    public async Task The_page_of_all_entries_says_that_it_means_all()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        using var all = await app.Client.SendAsync(Requests.Get("jobs/entries", roles: "ops"), TestContext.Current.CancellationToken);
        using var some = await app.Client.SendAsync(
            Requests.Get("jobs/entries?kind=mail.*", roles: "ops"), TestContext.Current.CancellationToken);

        const string Field = "name=\"all\" value=\"true\"";
        Assert.Contains(Field, await all.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.DoesNotContain(Field, await some.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ids_are_prepared_all_or_none()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });

        using var many = await app.Client.SendAsync(
            ToApi(new { @do = "cancel", id = Enumerable.Range(1, 1_001) }), TestContext.Current.CancellationToken);
        using var odd = await app.Client.SendAsync(
            ToApi(new { @do = "cancel", id = (string[])["7", "x12"] }), TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (many.StatusCode, odd.StatusCode));
        Assert.Contains("x12", await odd.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Null(app.Operations.Prepared);

        using var right = await app.Client.SendAsync(
            ToApi(new { @do = "cancel", id = Enumerable.Range(1, 1_000) }), TestContext.Current.CancellationToken);
        Assert.Equal(1_000, app.Operations.Prepared?.EntryIds?.Count);
    }

    [Fact]
    public async Task A_kind_that_a_filter_can_t_name_has_no_link_to_its_entries()
    {
        var system = Shop.Open();
        system.Kinds.Add(new KindSummary { Name = "*", Waiting = new Count(3), Nodes = 0 });
        system.FailedKinds.Add(new EntryGroup("*", new Count(3)));
        await using var app = await DashboardApp.StartAsync(system);

        foreach (var path in (string[])["jobs/", "jobs/kinds", "jobs/search?q=*", "jobs/entries?state=failed&group=kind"])
        {
            using var response = await app.Client.SendAsync(Requests.Get(path), TestContext.Current.CancellationToken);
            var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

            Assert.Contains("<bdi>*</bdi>", page, StringComparison.Ordinal);
            Assert.DoesNotContain("kind=%2A", page, StringComparison.Ordinal);
            Assert.DoesNotContain("kind=*", page, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("0")]
    [InlineData("20160")]
    [InlineData("soon")]
    public async Task A_pause_with_an_end_that_can_t_be_read_is_refused(string minutes)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        using var response = await app.Client.SendAsync(
            Requests.Post("jobs/queues/pause", fields: [("name", "mail"), ("minutes", minutes)]), TestContext.Current.CancellationToken);

        Assert.Contains("bad-minutes", response.Headers.Location!.OriginalString, StringComparison.Ordinal);
        Assert.DoesNotContain(app.Operations.Done, static done => done.Action.StartsWith("pause", StringComparison.Ordinal));
    }

    private static HttpRequestMessage ToApi<T>(T body)
    {
        var request = Requests.Post("jobs/api/operations/prepare", site: null);
        request.Content = JsonContent.Create(body);
        return request;
    }
}
