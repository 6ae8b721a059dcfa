using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Hosting;

/// <summary>A policy that is misspelled, or a host that could match no request, is found at start.</summary>
public sealed class PolicyCheckTests
{
    [Theory]
    [InlineData("opps", "data", "OperatePolicy is 'opps'")]
    [InlineData("ops", "dta", "DataPolicy is 'dta'")]
    public async Task A_policy_that_does_not_exist_stops_the_start(string operate, string data, string expected)
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => DashboardApp.StartAsync(Shop.Empty(), new AppSetup { OperatePolicy = operate, DataPolicy = data }));

        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("OperatePolicy")]
    [InlineData("DataPolicy")]
    [InlineData("SearchPolicy")]
    public async Task A_policy_with_a_scheme_that_the_application_does_not_have_stops_the_start(string option)
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => DashboardApp.StartAsync(Shop.Empty(), new AppSetup
        {
            Services = static services => services.AddAuthorization(static options => options.AddPolicy(
                "shared", static policy => policy.AddAuthenticationSchemes("Nowhere").RequireAuthenticatedUser())),
            Configure = options => typeof(DashboardOptions).GetProperty(option)!.SetValue(options, "shared"),
        }));

        Assert.StartsWith(
            $"DashboardOptions.{option} is 'shared', a policy that names the authentication scheme 'Nowhere'", failure.Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ops.example.org:8443")]
    [InlineData("https://ops.example.org")]
    [InlineData("*.example.org")]
    [InlineData("*")]
    public async Task A_host_that_is_not_a_host_name_stops_the_start(string host)
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => DashboardApp.StartAsync(
            Shop.Empty(), new AppSetup { Configure = options => options.AllowedHosts.Add(host) }));

        Assert.StartsWith(
            $"DashboardOptions.AllowedHosts has '{host}', which is not a host name", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ops.example.org")]
    [InlineData("jobs_svc")]
    [InlineData("10.0.0.7")]
    [InlineData("::1")]
    [InlineData("[::1]")]
    public async Task A_host_name_or_address_does_not(string host)
    {
        await using var app = await DashboardApp.StartAsync(
            Shop.Empty(), new AppSetup { Configure = options => options.AllowedHosts.Add(host) });

        Assert.NotEmpty(app.Endpoints);
    }
}
