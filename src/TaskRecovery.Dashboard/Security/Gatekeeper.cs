using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Dashboard.Diagnostics;
using TaskRecovery.Dashboard.Rendering;

namespace TaskRecovery.Dashboard.Security;

/// <summary>Decides what a request may do. It asks the policies itself, so that a missing or misplaced middleware opens nothing.</summary>
/// <remarks>The services of authorization are those of each request: the application's handlers may be scoped.</remarks>
internal sealed class Gatekeeper(
    IOptions<DashboardOptions> options,
    IHostEnvironment environment,
    ILogger<Gatekeeper> logger,
    IAuthenticationSchemeProvider? schemes = null)
{
    // The longest name that a host can have.
    private const int MaxShown = 253;

    private static readonly object LoginKey = new();

    private readonly DashboardOptions _options = options.Value;

    /// <summary>The access of the request's user, or why there is none. Nothing was read from the store before.</summary>
    public async ValueTask<(Access? Access, Refusal? Refusal)> CheckAsync(HttpContext context, bool isApi = false)
    {
        var refusal = CheckOrigin(context, isApi) ?? await CheckPageAsync(context).ConfigureAwait(false)
            ?? await CheckHostAsync(context).ConfigureAwait(false);
        EntryScope? scope = null;
        var user = "";
        refusal ??= CheckScope(context, out scope) ?? CheckName(context, out user);
        if (refusal is not null)
        {
            Log.Refused(logger, refusal.Status, context.Request.Method, context.Request.Path.ToUriComponent(), ReasonOf(refusal));
            return (null, refusal);
        }

        var data = await HoldsAsync(_options.DataPolicy, context).ConfigureAwait(false);
        var access = new Access(
            data,
            data && (_options.SearchPolicy is null ? _options.Redact is null
                : await HoldsAsync(_options.SearchPolicy, context).ConfigureAwait(false)),
            await HoldsAsync(_options.OperatePolicy, context).ConfigureAwait(false),
            user,
            scope);
        return (access, null);
    }

    // A scope that restricts nothing is a mistake: it would show one tenant's data to another one.
    private Refusal? CheckScope(HttpContext context, out EntryScope? scope)
    {
        scope = null;
        if (_options.Scope is not { } choose)
        {
            return null;
        }

        var refusal = new Refusal(StatusCodes.Status403Forbidden, "No view", "The application could not say what your account may see.");
        try
        {
            scope = choose(context.User);
            return scope is { Queues: null, Kinds: null, Metadata: null } ? refusal : null;
        }
#pragma warning disable CA1031 // Whatever the application throws: without an answer, nothing is shown.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Log.ScopeFailed(logger, failure);
            return refusal;
        }
    }

    private Refusal? CheckName(HttpContext context, out string user)
    {
        try
        {
            user = Actor.Of(context.User, _options.UserName);
            return null;
        }
#pragma warning disable CA1031 // Whatever the application throws: without a name, no action could be recorded.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Log.UserNameFailed(logger, failure);
            user = "";
            return new Refusal(
                StatusCodes.Status403Forbidden, "No name", "The application could not say under which name your account acts.");
        }
    }

    private static Refusal? CheckOrigin(HttpContext context, bool isApi)
    {
        if (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
        {
            return RequestOrigin.MayRead(context.Request.Headers)
                ? null
                : new Refusal(StatusCodes.Status403Forbidden, "Embedded by another site", "Another site may link to this page, "
                    + "but not embed or fetch it.");
        }

        return RequestOrigin.MayWrite(context.Request) || (isApi && RequestOrigin.IsNoBrowser(context.Request.Headers))
            ? null
            : new Refusal(
                StatusCodes.Status403Forbidden,
                "Sent by another site",
                "An action is accepted only from a page of this dashboard. The headers Sec-Fetch-Site and Origin of this request do "
                + "not show that "
                + "it came from one. If a proxy removes or rewrites them, let it pass them on.");
    }

    private async ValueTask<Refusal?> CheckHostAsync(HttpContext context)
    {
        var host = context.Request.Host.Host;
        return RequestOrigin.IsHostAllowed(host, _options.AllowedHosts, await IsBoundToHostAsync(context).ConfigureAwait(false))
            ? null
            : new Refusal(
                StatusCodes.Status403Forbidden,
                "Unknown host name",
                $"The dashboard is not served under the host name of this request, which is '{Shortened(host)}' as the application sees "
                + "it. If that is the name in the address bar of your browser, add it to the allowed hosts. If it is not, a proxy has "
                + "changed it: let the application accept the header X-Forwarded-Host from that proxy.",
                "options.AllowedHosts.Add(\"jobs.example.org\");")
            {
                Host = host,
            };
    }

    private static string ReasonOf(Refusal refusal)
        => refusal.Host is { } host ? $"{refusal.Title} '{InvisibleText.Shown(Shortened(host))}'" : refusal.Title;

    private static string Shortened(string host) => host.Length > MaxShown ? host[..MaxShown] + "…" : host;

    // A browser sends a cookie to the host that set it, and a script sends a bearer token where it wants to. A client certificate, a
    // Windows login, or a name that a proxy adds comes with the request to any name, also to one that an attacker has rebound.
    private async ValueTask<bool> IsBoundToHostAsync(HttpContext context)
    {
        if (context.User.Identity is not { IsAuthenticated: true } || schemes is null
            || Login(context)?.Ticket is not { } ticket)
        {
            return false;
        }

        // With several schemes, the ticket names all of them.
        foreach (var name in ticket.AuthenticationScheme.Split(';'))
        {
            if (!IsBoundToHost((await schemes.GetSchemeAsync(name).ConfigureAwait(false))?.HandlerType))
            {
                return false;
            }
        }

        return true;
    }

    private static AuthenticateResult? Login(HttpContext context)
        => context.Items[LoginKey] as AuthenticateResult ?? context.Features.Get<IAuthenticateResultFeature>()?.AuthenticateResult;

    private static bool IsBoundToHost(Type? handler)
    {
        for (var type = handler; type is not null; type = type.BaseType)
        {
            // The handlers of bearer tokens are in a package, or internal.
            if (type == typeof(CookieAuthenticationHandler) || type.Name is "JwtBearerHandler" or "BearerTokenHandler")
            {
                return true;
            }
        }

        return false;
    }

    private async ValueTask<Refusal?> CheckPageAsync(HttpContext context)
    {
        var metadata = context.GetEndpoint()?.Metadata;
        if (metadata?.GetMetadata<IAllowAnonymous>() is not null)
        {
            return null;
        }

        var policies = context.RequestServices.GetRequiredService<IAuthorizationPolicyProvider>();
        var policy = await AuthorizationPolicy.CombineAsync(
            policies,
            metadata?.GetOrderedMetadata<IAuthorizeData>() ?? [],
            metadata?.GetOrderedMetadata<AuthorizationPolicy>() ?? []).ConfigureAwait(false)
            ?? await policies.GetFallbackPolicyAsync().ConfigureAwait(false);
        if (policy is null)
        {
            return environment.IsDevelopment() && RequestOrigin.IsDirectLoopback(context)
                ? null
                : new Refusal(
                    StatusCodes.Status403Forbidden,
                    "No policy is named",
                    "The dashboard is closed until the application says who may see it. Name a policy where it is mapped:",
                    "app.MapTaskRecovery(\"/jobs\").RequireAuthorization(\"staff\");");
        }

        var evaluator = context.RequestServices.GetRequiredService<IPolicyEvaluator>();
        var authenticated = await evaluator.AuthenticateAsync(policy, context).ConfigureAwait(false);
        context.Items[LoginKey] = authenticated;
        var result = await evaluator.AuthorizeAsync(policy, authenticated, context, context).ConfigureAwait(false);
        return result.Succeeded
            ? null
            : new Refusal(
                result.Challenged ? StatusCodes.Status401Unauthorized : StatusCodes.Status403Forbidden,
                result.Challenged ? "Not signed in" : "Not allowed",
                result.Challenged ? "Sign in to the application first." : "Your account does not satisfy the policy of the dashboard.");
    }

    // If a policy names schemes, its requirements are for the user whom these sign in, as on an endpoint: another login than that of the
    // page may be asked for. The request keeps its user, whom the records of actions name.
    private static async ValueTask<bool> HoldsAsync(string? name, HttpContext context)
    {
        if (name is null)
        {
            return false;
        }

        var policies = context.RequestServices.GetRequiredService<IAuthorizationPolicyProvider>();
        var policy = await policies.GetPolicyAsync(name).ConfigureAwait(false);
        var user = policy is { AuthenticationSchemes.Count: > 0 }
            ? await SignInAsync(context, policy.AuthenticationSchemes).ConfigureAwait(false)
            : context.User;
        return user is not null && (await context.RequestServices.GetRequiredService<IAuthorizationService>()
            .AuthorizeAsync(user, context, name).ConfigureAwait(false)).Succeeded;
    }

    private static async ValueTask<ClaimsPrincipal?> SignInAsync(HttpContext context, IReadOnlyList<string> names)
    {
        var identities = new List<ClaimsIdentity>();
        foreach (var name in names)
        {
            var login = await context.AuthenticateAsync(name).ConfigureAwait(false);
            identities.AddRange(login.Principal?.Identities ?? []);
        }

        return identities.Count == 0 ? null : new ClaimsPrincipal(identities);
    }
}
