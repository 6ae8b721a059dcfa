using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Dashboard.Hosting;

/// <summary>Checks at start that the policies named in the options exist, with the authentication schemes that they name, and that the
/// allowed hosts are host names, so that a wrong name fails the start and not the first request.</summary>
internal sealed class PolicyCheck(DashboardOptions options, IServiceScopeFactory scopes) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        CheckHosts();
        await CheckAsync(nameof(DashboardOptions.OperatePolicy), options.OperatePolicy).ConfigureAwait(false);
        await CheckAsync(nameof(DashboardOptions.DataPolicy), options.DataPolicy).ConfigureAwait(false);
        await CheckAsync(nameof(DashboardOptions.SearchPolicy), options.SearchPolicy).ConfigureAwait(false);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Another entry would equal the name of no request, and so lock every user out.
    private void CheckHosts()
    {
        foreach (var host in options.AllowedHosts)
        {
            if (Uri.CheckHostName(host) == UriHostNameType.Unknown)
            {
                throw new InvalidOperationException(
                    $"DashboardOptions.AllowedHosts has '{host}', which is not a host name, so that it would match no request. Write each "
                    + "name alone, without a scheme, a port, a path or '*', such as 'ops.example.org'.");
            }
        }
    }

    private async Task CheckAsync(string option, string? name)
    {
        if (name is null)
        {
            return;
        }

        // An application's policy provider may be scoped.
        var scope = scopes.CreateAsyncScope();
        await using var _ = scope.ConfigureAwait(false);
        var policies = scope.ServiceProvider.GetRequiredService<IAuthorizationPolicyProvider>();
        var policy = await policies.GetPolicyAsync(name).ConfigureAwait(false) ?? throw new InvalidOperationException(
            $"DashboardOptions.{option} is '{name}', but the application has no authorization policy of that name. "
            + $"Add it: services.AddAuthorization(options => options.AddPolicy(\"{name}\", ...)).");
        var schemes = scope.ServiceProvider.GetService<IAuthenticationSchemeProvider>();
        foreach (var scheme in policy.AuthenticationSchemes)
        {
            if (schemes is null || await schemes.GetSchemeAsync(scheme).ConfigureAwait(false) is null)
            {
                throw new InvalidOperationException(
                    $"DashboardOptions.{option} is '{name}', a policy that names the authentication scheme '{scheme}', but the application "
                    + "has no scheme of that name. Add it to services.AddAuthentication(), or name a policy without it.");
            }
        }
    }
}
