using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Samples;

/// <summary>The calls of the dashboard in the tables of docs/coming-from. ComingFromTests compares the pages with this file.</summary>
public sealed class ComingFromDashboardTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_two_calls_add_a_dashboard_that_is_closed_in_production()
    {
        var builder = RealApp.NewBuilder();
        AddShop(builder.Services);
        Add(builder.Services);
        await using var app = builder.Build();
        Map(app);
        await app.StartAsync(Cancellation);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };

        using var response = await client.GetAsync(new Uri("jobs/", UriKind.Relative), Cancellation);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task Without_the_first_call_the_second_one_names_it()
    {
        var builder = RealApp.NewBuilder();
        AddShop(builder.Services);
        await using var app = builder.Build();

        var refused = Assert.Throws<InvalidOperationException>(() => Map(app));

        Assert.Contains("services.AddTaskRecoveryDashboard()", refused.Message, StringComparison.Ordinal);
    }

    private static void Add(IServiceCollection services) => services.AddTaskRecoveryDashboard();

    private static void Map(WebApplication app) => app.MapTaskRecovery("/jobs");

    private static void AddShop(IServiceCollection services)
    {
        var system = Shop.Open();
        services.AddSingleton<TimeProvider>(new FixedTime(system.Now));
        services.AddSingleton<IQueueMonitor>(new FakeMonitor(system));
        services.AddSingleton<IQueueOperator>(new FakeOperator(system));
        services.AddSingleton<IJobService>(new FakeJobs(system));
    }
}
