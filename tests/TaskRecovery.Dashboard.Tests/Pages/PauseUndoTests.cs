using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>The undo of a resumption pauses for the same reason and until the same time.</summary>
public sealed class PauseUndoTests
{
    private const string Why = "month end, wait for the ledger";

    private static readonly DateTimeOffset Until = Shop.Now.AddMinutes(23);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_form_that_resumes_says_what_the_pause_was()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        var page = await ReadAsync(app, "jobs/queues");

        var form = page[page.IndexOf("action=\"./queues/resume\"", StringComparison.Ordinal)..];
        form = form[..form.IndexOf("</form>", StringComparison.Ordinal)];
        Assert.Contains($"name=\"was-reason\" value=\"{Why}\"", form, StringComparison.Ordinal);
        Assert.Contains("name=\"was-until\" value=\"2026-11-29T14:55:08.4120000", form, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("queues/resume", "queues/pause", "pause queue default")]
    [InlineData("kinds/resume", "kinds/pause", "pause kind mail.send")]
    public async Task The_undo_of_a_resumption_restores_the_pause(string path, string opposite, string expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        using var resumed = await app.Client.SendAsync(
            Requests.Post(
                $"jobs/{path}", fields: [("was-reason", Why), ("was-until", $"{Until:O}")]), Cancellation);

        var note = await ReadAsync(app, $"jobs/{resumed.Headers.Location!.OriginalString["../".Length..]}");

        var form = note[note.IndexOf($"action=\"./{opposite}\"", StringComparison.Ordinal)..];
        using var paused = await app.Client.SendAsync(
            Requests.Post(
                $"jobs/{opposite}",
                fields: [("name", Value(form, "name")), ("reason", Value(form, "reason")), ("until", Value(form, "until"))]),
            Cancellation);
        Assert.Equal((expected, Why), (app.Operations.Done[^1].Action, app.Operations.Done[^1].Audit.Reason));
        Assert.Equal(Until, app.Operations.PausedUntil);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 501)]
    public async Task There_is_no_undo_that_would_not_restore_the_pause(bool saysWhatItWas, int length)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        (string, string)[] fields = saysWhatItWas ? [("was-reason", new string('x', length)), ("was-until", "")] : [];

        using var resumed = await app.Client.SendAsync(Requests.Post("jobs/queues/resume", fields: fields), Cancellation);

        Assert.EndsWith("?did=resumed", resumed.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_paused_is_not_called_resumed()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        app.Operations.Result = OperatorResult.NotPaused;

        using var resumed = await app.Client.SendAsync(Requests.Post("jobs/queues/resume"), Cancellation);
        var note = await ReadAsync(app, $"jobs/{resumed.Headers.Location!.OriginalString["../".Length..]}");

        Assert.Contains("Nothing was changed: it is not paused.", note, StringComparison.Ordinal);
    }

    private static async Task<string> ReadAsync(DashboardApp app, string path)
    {
        using var request = Requests.Get(path, roles: "ops", site: "same-origin");
        using var response = await app.Client.SendAsync(request, Cancellation);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    private static string Value(string form, string name)
    {
        var start = $"name=\"{name}\" value=\"";
        var value = form[(form.IndexOf(start, StringComparison.Ordinal) + start.Length)..];
        return System.Net.WebUtility.HtmlDecode(value[..value.IndexOf('"', StringComparison.Ordinal)]);
    }
}
