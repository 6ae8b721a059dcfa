using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>The preview of a bulk operation shows some of the entries that it would change.</summary>
public sealed class OperationPageTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_preview_of_given_ids_shows_those_of_them_that_the_user_sees(bool hasScope)
    {
        var system = Shop.Open();
        var scope = hasScope ? new EntryScope { Queues = ["payments"] } : null;
        var own = system.Lives.First(static life => life.Entry.Queue == "payments").Entry.Id;
        var other = system.Lives.First(static life => life.Entry.Queue == "default").Entry.Id;
        system.Operations.Add(system.Operations.Find(static one => one.Id == 7)! with
        {
            Id = 8,
            Query = scope is null ? null : new EntryQuery { Scope = scope },
            SampleIds = [own, other, 1],
        });
        await using var app = await DashboardApp.StartAsync(
            system, new AppSetup { Configure = options => options.Scope = hasScope ? _ => scope : null });

        using var response = await app.Client.SendAsync(
            Requests.Get("jobs/operations/8", roles: "ops"), TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Contains($"href=\"../entries/{own}\"", page, StringComparison.Ordinal);
        Assert.Equal(!hasScope, page.Contains($"href=\"../entries/{other}\"", StringComparison.Ordinal));
        Assert.DoesNotContain("href=\"../entries/1\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("life", app.System.Asked);
    }
}
