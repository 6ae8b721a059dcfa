using System.Net;
using System.Text;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>What a page answers, and what it costs.</summary>
public sealed class PageTests(OpenShop open, EmptyShop empty) : IClassFixture<OpenShop>, IClassFixture<EmptyShop>
{
    public static TheoryData<string> Pages => [.. Requests.Pages];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Every_page_answers_with_all_rights_and_relative_links(string path)
    {
        using var response = await open.App.Client.SendAsync(
            Requests.Get(path, roles: "data,ops"), TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.DoesNotContain("href=\"/", page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=\"/", page, StringComparison.Ordinal);
        Assert.DoesNotContain("action=\"/", page, StringComparison.Ordinal);
        Assert.DoesNotContain("style=", page, StringComparison.Ordinal);
        Assert.EndsWith("</html>\n", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_form_that_acts_takes_a_reason()
    {
        var acting = 0;

        foreach (var path in Requests.Pages)
        {
            using var response = await open.App.Client.SendAsync(
                Requests.Get(path, roles: "data,ops"), TestContext.Current.CancellationToken);
            var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            foreach (var form in page.Split("<form ").Skip(1).Select(
                static part => part[..part.IndexOf("</form>", StringComparison.Ordinal)]))
            {
                // What is prepared is confirmed, with the reason, on the page of its preview.
                if (form.Contains("method=\"post\"", StringComparison.Ordinal)
                    && !form.Contains("operations/prepare", StringComparison.Ordinal))
                {
                    acting++;
                    Assert.Contains("name=\"reason\"", form, StringComparison.Ordinal);
                }
            }
        }

        Assert.True(acting > 20, $"Only {acting} forms were found.");
    }

    [Fact]
    public async Task A_job_is_paused_for_a_time_and_with_a_reason()
    {
        using var response = await open.App.Client.SendAsync(
            Requests.Get($"jobs/jobs/{Shop.ReportJob}", roles: "ops"), TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var form = page[page.IndexOf($"jobs/{Shop.ReportJob}/pause", StringComparison.Ordinal)..];

        Assert.Contains("name=\"minutes\"", form[..form.IndexOf("</form>", StringComparison.Ordinal)], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_runs_rarely_has_its_last_runs_beside_one_that_runs_often()
    {
        var system = Shop.Open();
        var (often, rare) = (system.Jobs[0], system.Jobs[3]);
        system.Tasks.RemoveAll(task => task.JobId != rare.Id);
        system.Tasks.AddRange(Enumerable.Range(1, 2_000).Select(index => new TaskRecord
        {
            Id = Guid.CreateVersion7(),
            JobId = often.Id,
            State = TaskState.Completed,
            CreatedAt = system.Now.AddSeconds(-index),
        }));
        await using var app = await DashboardApp.StartAsync(system);

        using var response = await app.Client.SendAsync(Requests.Get("jobs/jobs"), TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Contains("The last 20 runs: 20 completed", page, StringComparison.Ordinal);
        Assert.Contains("The last 1 run: 1 completed", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("state=failed", "2000")]
    [InlineData("state=failed&kind=payment.capture", "5000")]
    [InlineData("kind=mail.*&queue=mail", "5000")]
    [InlineData("reason=crash_loop", "0")]
    [InlineData("kind=mail.send&before=4100", "0")]
    public async Task Lists_by_state_queue_and_kind_are_live(string filter, string expected)
    {
        using var response = await open.App.Client.SendAsync(Requests.Get($"jobs/entries?{filter}"), TestContext.Current.CancellationToken);

        Assert.Contains(
            $"data-live=\"{expected}\"", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dead_node_says_what_became_of_its_work()
    {
        using var response = await open.App.Client.SendAsync(Requests.Get("jobs/nodes"), TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Contains("3 entries recovered", page, StringComparison.Ordinal);
        Assert.Contains("<div>released</div>", page, StringComparison.Ordinal);
        Assert.Contains("2 alive, 1 silent", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("jobs/")]
    [InlineData("jobs/queues")]
    [InlineData("jobs/entries")]
    [InlineData("jobs/kinds")]
    [InlineData("jobs/jobs")]
    [InlineData("jobs/tasks")]
    [InlineData("jobs/nodes")]
    [InlineData("jobs/events")]
    [InlineData("jobs/operations")]
    [InlineData("jobs/search")]
    [InlineData("jobs/about")]
    public async Task Every_page_has_something_to_say_when_there_is_nothing(string path)
    {
        using var response = await empty.App.Client.SendAsync(
            Requests.Get(path, roles: "data,ops"), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("jobs/")]
    [InlineData("jobs/queues")]
    [InlineData("jobs/entries")]
    [InlineData("jobs/kinds")]
    [InlineData("jobs/jobs")]
    [InlineData("jobs/tasks")]
    [InlineData("jobs/nodes")]
    [InlineData("jobs/events")]
    [InlineData("jobs/operations")]
    public async Task A_page_with_nothing_on_it_shows_the_first_thing_by_itself(string path)
    {
        using var response = await empty.App.Client.SendAsync(Requests.Get(path), TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Contains("data-live=\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("data-live=\"0\"", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("jobs/entries/1")]
    [InlineData("jobs/operations/99")]
    [InlineData("jobs/jobs/01932f5e-9c1b-7cc3-8f5a-000000000000")]
    public async Task A_thing_that_does_not_exist_is_not_found(string path)
    {
        using var response = await open.App.Client.SendAsync(Requests.Get(path), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Theory]
    [InlineData("jobs", "./jobs/")]
    [InlineData("jobs?range=7d", "./jobs/?range=7d")]
    [InlineData("jobs/queues/", "../queues")]
    [InlineData("jobs/entries/4127/", "../4127")]
    public async Task A_slash_is_added_or_removed_with_a_relative_address(string path, string expected)
    {
        using var response = await open.App.Client.SendAsync(Requests.Get(path), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Found, response.StatusCode);
        Assert.Equal(expected, response.Headers.Location?.OriginalString);
    }

    [Theory]
    [InlineData("4127", "./entries/4127")]
    [InlineData("#4127", "./entries/4127")]
    [InlineData("01932f5e-9c1b-7cc3-8f5a-2f6d3a3f0b11", "./jobs/01932f5e-9c1b-7cc3-8f5a-2f6d3a3f0b11")]
    [InlineData("00000019-0002-0002-0000-000000000001", "./entries/4190")]
    [InlineData("4BF92F3577B34DA6A3CE929D0E0E4736", "./entries/4127")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "./entries/4127")]
    [InlineData("00000000000000000000000000000007", "./entries?trace=00000000000000000000000000000007")]
    public async Task An_id_goes_straight_to_its_page(string id, string expected)
    {
        using var response = await open.App.Client.SendAsync(
            Requests.Get($"jobs/search?q={Uri.EscapeDataString(id)}"), TestContext.Current.CancellationToken);

        Assert.Equal(expected, response.Headers.Location?.OriginalString);
    }

    [Fact]
    public async Task A_page_that_has_not_changed_is_not_sent_again()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        using var first = await app.Client.SendAsync(Requests.Get("jobs/"), TestContext.Current.CancellationToken);
        using var again = Requests.Get("jobs/");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var withMoreRights = Requests.Get("jobs/", roles: "data,ops");
        withMoreRights.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var withoutRights = Requests.Get("jobs/", user: null);
        withoutRights.Headers.IfNoneMatch.Add(first.Headers.ETag!);

        using var unchanged = await app.Client.SendAsync(again, TestContext.Current.CancellationToken);
        using var other = await app.Client.SendAsync(withMoreRights, TestContext.Current.CancellationToken);
        using var refused = await app.Client.SendAsync(withoutRights, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [Fact]
    public async Task Viewers_share_one_read_and_nobody_looking_costs_nothing()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        Assert.Empty(app.System.Asked);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async index =>
        {
            using var response = await app.Client.SendAsync(
                Requests.Get("jobs/", user: $"user {index}"), TestContext.Current.CancellationToken);
            response.EnsureSuccessStatusCode();
        }));
        Assert.Equal(1, app.System.Asked.Count(static question => question == "snapshot"));

        app.Time.Advance(TimeSpan.FromSeconds(2));
        using var later = await app.Client.SendAsync(Requests.Get("jobs/"), TestContext.Current.CancellationToken);
        Assert.Equal(2, app.System.Asked.Count(static question => question == "snapshot"));
        Assert.True(app.System.Asked.Count <= 2 * 8, string.Join(", ", app.System.Asked));
    }

    [Fact]
    public async Task The_first_page_is_small()
    {
        using var response = await open.App.Client.SendAsync(
            Requests.Get("jobs/", roles: "data,ops"), TestContext.Current.CancellationToken);

        Assert.InRange((await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length, 5_000, 60 * 1_024);
    }

    [Theory]
    [InlineData(typeof(StoreUnavailableException), HttpStatusCode.ServiceUnavailable)]
    [InlineData(typeof(TimeoutException), HttpStatusCode.GatewayTimeout)]
    [InlineData(typeof(NotSupportedException), HttpStatusCode.NotImplemented)]
    public async Task A_failing_store_is_explained_without_its_message(Type failure, HttpStatusCode expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        const string Secret = "Host=db;Password=secret";
        app.Monitor.Fail(failure == typeof(StoreUnavailableException)
            ? new StoreUnavailableException(Secret)
            : (Exception)Activator.CreateInstance(failure, Secret)!);

        using var response = await app.Client.SendAsync(Requests.Get("jobs/"), TestContext.Current.CancellationToken);

        Assert.Equal(expected, response.StatusCode);
        Assert.DoesNotContain(
            "secret", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_redactor_decides_what_is_shown_and_its_failure_hides()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup
        {
            Configure = static options => options.Redact = static text => text.Part switch
            {
                DashboardPart.Args => text.Text.Replace("Ada Lovelace", "A***", StringComparison.Ordinal),
                DashboardPart.Error => throw new InvalidOperationException("the redactor is broken"),
                _ => null,
            },
        });

        using var response = await app.Client.SendAsync(
            Requests.Get($"jobs/entries/{Shop.FailedEntry}", roles: "data"), TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Contains("A***", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Lovelace", page, StringComparison.Ordinal);
        Assert.DoesNotContain("HttpRequestException", page, StringComparison.Ordinal);
        Assert.DoesNotContain("acme", page, StringComparison.Ordinal);
        Assert.Contains("hidden by the redactor", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_that_match_is_a_query_and_no_list_of_ids()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        using var response = await app.Client.SendAsync(
            Requests.Post("jobs/operations/prepare", fields: [("do", "retry-all"), ("filter", "kind=mail.*")]),
            TestContext.Current.CancellationToken);

        Assert.Equal("../operations/7?did=prepared", response.Headers.Location?.OriginalString);
        Assert.Equal("mail.*", app.Operations.Prepared?.Query?.Kind);
        Assert.Null(app.Operations.Prepared?.EntryIds);
    }

    [Fact]
    public async Task A_job_is_deleted_only_by_its_name()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        using var wrong = await app.Client.SendAsync(
            Requests.Post($"jobs/jobs/{Shop.ReportJob}/delete", fields: [("confirm", "monthly")]), TestContext.Current.CancellationToken);
        Assert.Empty(app.Operations.Done);

        using var right = await app.Client.SendAsync(
            Requests.Post($"jobs/jobs/{Shop.ReportJob}/delete"), TestContext.Current.CancellationToken);
        Assert.Equal([$"delete {Shop.ReportJob}"], app.Operations.Done.Select(static done => done.Action));
    }

    [Fact]
    public async Task A_form_that_is_too_large_is_refused()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        using var request = Requests.Post("jobs/queues/pause");
        request.Content = new StringContent("name=" + new string('x', 1 << 20), Encoding.UTF8, "application/x-www-form-urlencoded");

        using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.False(response.IsSuccessStatusCode);
        Assert.Empty(app.Operations.Done);
    }

    [Theory]
    [InlineData("state=running_fast", "not a state")]
    [InlineData("job=7", "not the id of a job")]
    [InlineData("from=yesterday", "not a time")]
    [InlineData("meta=acme", "Use name=value")]
    [InlineData("before=x", "not a number")]
    public async Task A_filter_that_can_not_be_read_says_what_is_allowed(string filter, string expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        using var response = await app.Client.SendAsync(
            Requests.Get($"jobs/entries?{filter}", roles: "data"), TestContext.Current.CancellationToken);

        Assert.Contains(
            expected, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.DoesNotContain("list", app.System.Asked);
    }
}
