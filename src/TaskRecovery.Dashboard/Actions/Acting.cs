using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using TaskRecovery.Dashboard.Diagnostics;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;

namespace TaskRecovery.Dashboard.Actions;

/// <summary>Does what a form of a page or a body of the API asks for, if the user may act.</summary>
internal sealed class Acting(SharedReads shared, Refusals refusals, ILogger<Acting> logger)
{
    /// <summary>The most bytes of a form or body.</summary>
    public const int MaxBytes = 256 * 1024;

    /// <summary>Stops the server from reading more than an action can have.</summary>
    public static void LimitBody(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = MaxBytes;
        }
    }

    /// <summary>Does the action.</summary>
    /// <returns>What was done; <see langword="null"/> if the user may not act, which is recorded.</returns>
    public async ValueTask<Done?> RunAsync(DashboardRequest request, IAction action)
    {
        var what = InvisibleText.Shown(action.Describe(request));
        if (!request.Access.Operate)
        {
            await refusals.RecordAsync(request, what).ConfigureAwait(false);
            return null;
        }

        var done = await RunKnownAsync(request, action).ConfigureAwait(false);
        Log.Acted(logger, request.Access.User, what, done.Path, done.Note);
        return done;
    }

    private async ValueTask<Done> RunKnownAsync(DashboardRequest request, IAction action)
    {
        try
        {
            return await action.RunAsync(request).ConfigureAwait(false);
        }
        catch (UnconfirmedException failure)
        {
            // A page that answers a POST must not say that it can be loaded again: that would repeat the action.
            throw new UnconfirmedException(
                failure.InnerException ?? failure, [PageOf(request, action), .. failure.Look, .. EventsOf(request)]);
        }
        finally
        {
            shared.Forget();
        }
    }

    // The address of an action is that of the page that shows its effect, with a verb behind it.
    private static string PageOf(DashboardRequest request, IAction action) => string.Join(
        '/', action.Route.Split('/')[..^1].Select(part => part.StartsWith('{') ? request.Route("id") : part));

    // Events are of the whole system: a user with a scope sees none.
    private static string[] EventsOf(DashboardRequest request) => request.Access.Scope is null ? ["events"] : [];
}
