using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using TaskRecovery.Dashboard.Actions;
using TaskRecovery.Dashboard.Diagnostics;
using TaskRecovery.Dashboard.Rendering;
using TaskRecovery.Dashboard.Pages;
using TaskRecovery.Dashboard.Security;

namespace TaskRecovery.Dashboard.Hosting;

/// <summary>Answers every request in the same order: headers, gatekeeper, page or action. Nothing is read or changed before the gatekeeper
/// has agreed.</summary>
internal sealed class DashboardEndpoints(
    IEnumerable<IPage> pages,
    IEnumerable<IAction> actions,
    EntryDownload download,
    Gatekeeper gatekeeper,
    Layout layout,
    Assets assets,
    Reads reads,
    Acting acting,
    TimeProvider time,
    ILogger<DashboardEndpoints> logger)
{
    private const int MaxFormFields = 2_000;

    public void Map(RouteGroupBuilder group)
    {
        foreach (var page in pages)
        {
            Get(group, page.Route, context => HasRightSlash(context, page.Route) ? ShowAsync(context, page) : RedirectSlashAsync(context));
        }

        foreach (var action in actions)
        {
            group.MapPost($"/{action.Route}", context => ActAsync(context, action)).WithMetadata(PageDepth.Of(action.Route));
        }

        Get(group, "entries/{id:long}/args", context => AnswerAsync(context, request => download.SendAsync(request, DashboardPart.Args)));
        Get(group, "entries/{id:long}/result", context => AnswerAsync(
            context, request => download.SendAsync(request, DashboardPart.Result)));
        Get(group, "-/{file}", context => AnswerAsync(context, request => assets.SendAsync(request.Context, request.Route("file") ?? "")));
    }

    private static void Get(RouteGroupBuilder group, string route, RequestDelegate answer)
        => group.MapGet($"/{route}", answer).WithMetadata(PageDepth.Of(route));

    // Relative links are resolved from the last slash: the root needs one at its end, and a page must have none.
    private static bool HasRightSlash(HttpContext context, string route)
        => (context.Request.Path.Value?.EndsWith('/') ?? false) == (route.Length == 0);

    private async Task AnswerAsync(HttpContext context, Func<DashboardRequest, Task> answer)
    {
        SecurityHeaders.Apply(context.Response);
        var (access, refusal) = await gatekeeper.CheckAsync(context).ConfigureAwait(false);
        var root = Root(context);
        if (access is null)
        {
            await RefuseAsync(context, refusal!).ConfigureAwait(false);
            return;
        }

        try
        {
            await answer(new DashboardRequest(context, access, root)).ConfigureAwait(false);
        }
        catch (Exception failure) when (Failures.Explain(failure) is { } explained && !context.Response.HasStarted)
        {
            Failures.Report(logger, context, failure, explained);
            await RefuseAsync(context, explained).ConfigureAwait(false);
        }
    }

    private Task ShowAsync(HttpContext context, IPage page) => AnswerAsync(context, async request =>
    {
        var shown = await page.RenderAsync(request).ConfigureAwait(false);
        if (shown.RedirectTo is { } target)
        {
            Redirect(context, request.Href(target), StatusCodes.Status302Found);
            return;
        }

        var snapshot = await reads.TrySnapshotAsync(request).ConfigureAwait(false);
        var html = layout.Render(shown, request, snapshot, Toast.Render(request));
        await SendAsync(context, shown.Status, html, () =>
        {
            if (shown.Opened is { } opened)
            {
                Log.DataOpened(logger, request.Access.User, opened);
            }
        }).ConfigureAwait(false);
    });

    private Task ActAsync(HttpContext context, IAction action) => AnswerAsync(context, async request =>
    {
        if (!context.Request.HasFormContentType)
        {
            await RefuseAsync(context, new Refusal(
                StatusCodes.Status415UnsupportedMediaType, "Not a form",
                "An action is the form of a page of this dashboard.")).ConfigureAwait(false);
            return;
        }

        var form = await ReadFormAsync(context).ConfigureAwait(false);
        request = new DashboardRequest(context, request.Access, request.Root) { Form = form };
        if (await acting.RunAsync(request, action).ConfigureAwait(false) is not { } done)
        {
            await RefuseAsync(context, new Refusal(
                StatusCodes.Status403Forbidden, "Read-only",
                "You may look, but not act. To act needs the policy that OperatePolicy names.")).ConfigureAwait(false);
            return;
        }

        Redirect(context, request.Href(done.Address), StatusCodes.Status303SeeOther);
    });

    // A middleware of the application may have read the form, or the body, which can't be read again: a form that is read afterwards
    // is empty. Without its fields, another action would be done than the one that was asked for.
    private static async Task<IFormCollection> ReadFormAsync(HttpContext context)
    {
        var form = context.Features.Get<IFormFeature>()?.Form ?? await ReadBodyAsync(context).ConfigureAwait(false);
        return form.Count == 0 && HasBody(context)
            ? throw new InvalidDataException("The body of the request was read before, and is not buffered.")
            : form;
    }

    private static Task<IFormCollection> ReadBodyAsync(HttpContext context)
    {
        Acting.LimitBody(context);
        context.Features.Set<IFormFeature>(
            new FormFeature(context.Request, new FormOptions { ValueCountLimit = MaxFormFields, BufferBodyLengthLimit = Acting.MaxBytes }));
        return context.Request.ReadFormAsync(context.RequestAborted);
    }

    // A body that is sent in chunks has no length. No page sends one without fields.
    private static bool HasBody(HttpContext context)
        => context.Request.ContentLength is { } length
            ? length > 0
            : context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody != false;

    /// <summary>Adds the slash that the root needs, or removes the one that a page may not have. The address is relative, because a proxy
    /// may have another prefix.</summary>
    private Task RedirectSlashAsync(HttpContext context) => AnswerAsync(context, request =>
    {
        // A dashboard that is mapped at the root of a path base has no segment but that of the path base.
        var path = (context.Request.PathBase + context.Request.Path).ToUriComponent();
        var last = path.TrimEnd('/')[(path.TrimEnd('/').LastIndexOf('/') + 1)..];
        Redirect(context, (path.EndsWith('/') ? $"../{last}" : $"./{last}/")
            + context.Request.QueryString.ToUriComponent(), StatusCodes.Status302Found);
        return Task.CompletedTask;
    });

    private async Task RefuseAsync(HttpContext context, Refusal refusal)
    {
        context.Response.Headers.ContentSecurityPolicy = RefusalPage.ContentSecurityPolicy;
        await SendAsync(context, refusal.Status, RefusalPage.Render(refusal, Root(context))).ConfigureAwait(false);
    }

    private static void Redirect(HttpContext context, string address, int status)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.Location = address;
    }

    /// <summary>Sends a page, unless the browser has it already. <paramref name="beforeBody"/> is called only if the page is sent, and
    /// before it, because a browser that is cut off has seen a part of it.</summary>
    private async Task SendAsync(HttpContext context, int status, Markup page, Action? beforeBody = null)
    {
        var body = Encoding.UTF8.GetBytes(page.ToString());
        var response = context.Response;

        // The tag is of what this very user would see, so that it can't tell one user what another one sees.
        var tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(body))[..32]}\"";
        response.Headers.ETag = tag;

        // The script shows times relative to this clock, because the browser's may be wrong. It is not part of the page, and so not of its
        // tag.
        var now = Shown.Iso(time.GetUtcNow());
        response.Headers["X-Time"] = now;
        response.Headers["Server-Timing"] = $"now;desc=\"{now}\"";
        if (status == StatusCodes.Status200OK && context.Request.Headers.IfNoneMatch == tag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        beforeBody?.Invoke();
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }

    private static string Root(HttpContext context)
    {
        var depth = context.GetEndpoint()?.Metadata.GetMetadata<PageDepth>()?.Value ?? 0;
        return depth == 0 ? "./" : string.Concat(Enumerable.Repeat("../", depth));
    }
}
