using System.Collections.Concurrent;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Security;

/// <summary>What a redactor hides is hidden on the pages, in the downloads, on the API, and from searches.</summary>
public sealed partial class RedactorTests
{
    private const long Entry = Shop.FailedEntry;

    [Theory]
    [InlineData("jobs/entries/4104")]
    [InlineData("jobs/entries/4104/args")]
    [InlineData("jobs/api/entries/4104")]
    public async Task A_redactor_sees_characters_and_not_the_escapes_of_json(string path)
    {
        var system = With(static entry => entry with
        {
            Args = """{"phone":"\u002B491701234","name":"Zo\u00EB \"Z\" \uD83D\uDE00\u0001"}""",
        });
        await using var app = await StartAsync(
            system, static text => Phone().Replace(text.Text, "***").Replace("ë", "e", StringComparison.Ordinal));

        var shown = WebUtility.HtmlDecode(await ReadAsync(app, path));

        Assert.DoesNotContain("491701234", shown, StringComparison.Ordinal);
        Assert.Contains("***", shown, StringComparison.Ordinal);
        Assert.Contains("Zoe", shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("jobs/entries/4104")]
    [InlineData("jobs/entries/4104/result")]
    [InlineData("jobs/api/entries/4104")]
    public async Task A_run_of_a_job_has_the_kind_of_the_job(string path)
    {
        var system = With(static entry => entry with { Kind = "task:payroll", Result = """{"sum":"sum-77"}""" });
        await using var app = await StartAsync(system, static text => text.Kind == "payroll" ? null : text.Text);

        Assert.DoesNotContain("sum-77", await ReadAsync(app, path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "jobs/entries/4104")]
    [InlineData(true, "jobs/entries/4104/args")]
    [InlineData(true, "jobs/api/entries/4104")]
    [InlineData(false, "jobs/entries/4104")]
    [InlineData(false, "jobs/entries/4104/args")]
    [InlineData(false, "jobs/api/entries/4104")]
    public async Task A_payload_that_this_process_can_not_decode_is_hidden_from_the_redactor_and_by_it(bool hasOtherCodecs, string path)
    {
        var system = With(static entry => entry with { Args = "\"$codec:zip:H4sIAAAA\"" });
        var asked = new ConcurrentQueue<string>();
        var setup = new AppSetup { HasApi = true, Services = services => AddCodecs(services, hasOtherCodecs) };
        await using var open = await DashboardApp.StartAsync(system, setup);
        await using var redacted = await DashboardApp.StartAsync(system, setup with
        {
            Configure = options => options.Redact = text =>
            {
                asked.Enqueue(text.Text);
                return text.Text;
            },
        });

        Assert.Contains("H4sIAAAA", await ReadAsync(open, path), StringComparison.Ordinal);
        Assert.DoesNotContain("H4sIAAAA", await ReadAsync(redacted, path), StringComparison.Ordinal);
        Assert.DoesNotContain(asked, static text => text.Contains("H4sIAAAA", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("jobs/entries?text=Ada", "find what the redactor hides")]
    [InlineData("jobs/entries?group=kind&key=order-88104", "find what the redactor hides")]
    [InlineData("jobs/api/entries?meta=tenant%3Dacme", "find what the redactor hides")]
    [InlineData("jobs/api/groups?text=Ada", "find what the redactor hides")]
    [InlineData("jobs/search?q=Ada", "you may not search data")]
    public async Task With_a_redactor_data_are_not_searched(string path, string expected)
    {
        await using var app = await StartAsync(Shop.Open(), static text => text.Text.Replace("Ada", "***", StringComparison.Ordinal));

        var page = WebUtility.HtmlDecode(await ReadAsync(app, path));

        Assert.Contains(expected, page, StringComparison.Ordinal);
        Assert.DoesNotContain("list", app.System.Asked);
        Assert.DoesNotContain("group", app.System.Asked);
    }

    [Fact]
    public async Task An_operation_is_not_prepared_by_a_search_that_may_not_be_made()
    {
        await using var app = await StartAsync(Shop.Open(), static text => text.Text);

        using var response = await app.Client.SendAsync(
            Requests.Post("jobs/operations/prepare", roles: "data,ops", fields: [("do", "cancel-all"), ("filter", "text=Ada")]),
            TestContext.Current.CancellationToken);

        Assert.Null(app.Operations.Prepared);
    }

    [Fact]
    public async Task A_policy_allows_to_search_what_the_redactor_hides()
    {
        await using var app = await StartAsync(Shop.Open(), static text => text.Text, searchPolicy: "ops");

        var page = await ReadAsync(app, "jobs/entries?text=Lovelace", "data,ops");
        var refused = await ReadAsync(app, "jobs/entries?text=Lovelace");

        Assert.DoesNotContain("the redactor hides", page, StringComparison.Ordinal);
        Assert.Contains("the redactor hides", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_search_of_another_user_is_data_too()
    {
        var system = Shop.Open();
        system.Operations.Add(system.Operations[0] with { Id = 77, Query = new EntryQuery { Text = "Lovelace" } });
        await using var app = await StartAsync(system, static text => text.Text);

        Assert.DoesNotContain("Lovelace", await ReadAsync(app, "jobs/api/operations/77"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_search_in_data_is_logged_without_what_was_searched()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });

        await ReadAsync(app, "jobs/entries?text=Lovelace&state=failed");
        await ReadAsync(app, "jobs/api/groups?key=order-1&meta=tenant%3Dacme");
        await ReadAsync(app, "jobs/entries?kind=mail");

        Assert.Equal(
            ["6007: ada searched data by text", "6007: ada searched data by key, meta"],
            app.Log.Lines.Where(static line => line.StartsWith("6007: ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("jobs/entries/4127")]
    [InlineData("jobs/api/entries/4127")]
    public async Task Names_of_steps_are_data(string path)
    {
        await using var open = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });
        await using var redacted = await StartAsync(
            Shop.Open(), static text => text.Part == DashboardPart.StepName ? "a step" : text.Text);

        Assert.Contains("charge-card", await ReadAsync(open, path), StringComparison.Ordinal);
        Assert.DoesNotContain("charge-card", await ReadAsync(open, path, roles: ""), StringComparison.Ordinal);
        Assert.DoesNotContain("reserve-stock\"", await ReadAsync(open, path, roles: ""), StringComparison.Ordinal);
        Assert.DoesNotContain("charge-card", await ReadAsync(redacted, path), StringComparison.Ordinal);
    }

    private static void AddCodecs(IServiceCollection services, bool hasOtherCodecs)
    {
        if (hasOtherCodecs)
        {
            services.AddSingleton<IPayloadReader>(new OtherCodecs());
        }
    }

    private static FakeSystem With(Func<QueueEntry, QueueEntry> change)
    {
        var system = Shop.Open();
        var at = system.Lives.FindIndex(static life => life.Entry.Id == Entry);
        system.Lives[at] = system.Lives[at] with { Entry = change(system.Lives[at].Entry) };
        return system;
    }

    private static Task<DashboardApp> StartAsync(FakeSystem system, Func<DashboardText, string?> redact, string? searchPolicy = null)
        => DashboardApp.StartAsync(system, new AppSetup
        {
            HasApi = true,
            Configure = options => (options.Redact, options.SearchPolicy) = (redact, searchPolicy),
        });

    private static async Task<string> ReadAsync(DashboardApp app, string path, string roles = "data")
    {
        using var response = await app.Client.SendAsync(Requests.Get(path, roles: roles), TestContext.Current.CancellationToken);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>A process with codecs of which none has encoded the payload.</summary>
    private sealed class OtherCodecs : IPayloadReader
    {
        public string Read(string stored)
            => stored.StartsWith("\"$codec:", StringComparison.Ordinal) ? throw new PayloadException("unknown codec") : stored;
    }

    [GeneratedRegex(@"\+\d+")]
    private static partial Regex Phone();
}
