using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Security;

/// <summary>The policies are evaluated with the services of the request.</summary>
public sealed class PolicyTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Development")]
    [InlineData("Production")]
    public async Task Each_request_has_its_own_handlers_of_authorization(string environment)
    {
        var seen = new ConcurrentDictionary<Rights, bool>();
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup
        {
            Environment = environment,
            Services = services => AddRights(services, seen),
        });

        for (var request = 0; request < 2; request++)
        {
            using var response = await app.Client.SendAsync(Requests.Get("jobs/queues", roles: "data,ops"), Cancellation);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Equal(2, seen.Count);
    }

    private static void AddRights(IServiceCollection services, ConcurrentDictionary<Rights, bool> seen)
    {
        services.AddSingleton(seen);
        services.AddScoped<Rights>();
        services.AddScoped<IAuthorizationHandler, RightsHandler>();
    }

    /// <summary>What an application reads once for each request.</summary>
    private sealed class Rights;

    private sealed class RightsHandler(Rights rights, ConcurrentDictionary<Rights, bool> seen) : IAuthorizationHandler
    {
        public Task HandleAsync(AuthorizationHandlerContext context)
        {
            seen[rights] = true;
            return Task.CompletedTask;
        }
    }
}
