using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using TaskRecovery.Dashboard.Tests.Support;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Dashboard.Tests.Samples;

/// <summary>The examples of docs/production.md compile, and the probes answer what they should.</summary>
public sealed class ProductionPageTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_example_of_the_page_is_in_the_file_beside_this_one()
    {
        var code = PageExamples.CodeOf("tests/TaskRecovery.Dashboard.Tests/Samples", "ProductionPage.cs");
        var examples = PageExamples.Of("production.md");

        Assert.Equal(2, examples.Count);
        Assert.All(
            examples.SelectMany(static example => example.Split("\n\n")),
            part => Assert.Contains(PageExamples.Squeeze(part), code, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_its_database_a_process_is_alive_and_not_ready()
    {
        using var refused = new RefusingPort();
        var builder = RealApp.NewBuilder();
        builder.Services.AddTaskRecovery().UsePostgreSql($"Host=127.0.0.1;Port={refused.Number};Database=shop;Username=shop");
        ProductionPage.AddHealthCheck(builder);
        await using var app = builder.Build();
        ProductionPage.Map(app);
        await app.StartAsync(Cancellation);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };

        using var live = await client.GetAsync(new Uri("health/live", UriKind.Relative), Cancellation);
        using var ready = await client.GetAsync(new Uri("health/ready", UriKind.Relative), Cancellation);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable), (live.StatusCode, ready.StatusCode));
    }

    [Fact]
    public void The_host_waits_for_longer_than_the_handlers_may_take()
    {
        var builder = RealApp.NewBuilder();
        builder.Services.AddTaskRecovery().UseSqlite("Data Source=never-opened.db");
        ProductionPage.SetLimits(builder);
        using var services = builder.Services.BuildServiceProvider();

        var handlers = services.GetRequiredService<IOptions<TaskRecoveryOptions>>().Value.ShutdownTimeout;

        Assert.Equal(handlers + TimeSpan.FromSeconds(7), services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
    }
}
