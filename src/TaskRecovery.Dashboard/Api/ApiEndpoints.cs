using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using TaskRecovery.Dashboard.Actions;
using TaskRecovery.Dashboard.Diagnostics;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Pages;
using TaskRecovery.Dashboard.Security;

namespace TaskRecovery.Dashboard.Api;

/// <summary>The pages as JSON, with the same rights, and the actions of the pages with JSON bodies.</summary>
internal sealed class ApiEndpoints(
    IEnumerable<IAction> actions, Gatekeeper gatekeeper, Reads reads, ApiData data,
    SharedReads shared, Refusals refusals, ILogger<ApiEndpoints> logger)
{
    private const int MaxBodyBytes = 256 * 1024;

    public void Map(RouteGroupBuilder group)
    {
        Get(group, "snapshot", async request => Json(
            await reads.SnapshotAsync(request).ConfigureAwait(false), ApiJson.Default.QueueSnapshot));
        Get(group, "kinds", async request => Json(
            await reads.KindsAsync(request).ConfigureAwait(false), ApiJson.Default.IReadOnlyListKindSummary));
        Get(group, "nodes", async request => Json(
            await reads.NodesAsync(request).ConfigureAwait(false), ApiJson.Default.IReadOnlyListNodeSummary));
        Get(group, "jobs", async request => Json(
            Jobs(await reads.JobsAsync(request).ConfigureAwait(false)), ApiJson.Default.IReadOnlyListApiJob));
        Get(group, "tasks", TasksAsync);
        Get(group, "events", async request => Json(await EventsAsync(request).ConfigureAwait(false), ApiJson.Default.EventPage));
        Get(group, "operations", async request => Json(
            ApiData.Of(request, await reads.OperationsAsync(request, Number(request.Query("before"))).ConfigureAwait(false)),
            ApiJson.Default.IReadOnlyListBulkOperation));
        Get(group, "operations/{id:long}", async request
            => await reads.OperationAsync(request, Id(request)).ConfigureAwait(false) is { } one
            ? Json(ApiData.Of(request, one), ApiJson.Default.BulkOperation)
            : Missing());
        Get(group, "entries", request => ListAsync(
            request, async form => Json(await reads.EntriesAsync(request, form).ConfigureAwait(false), ApiJson.Default.EntrySummaryPage)));
        Get(group, "groups", request => ListAsync(request, async form => Json(
            await reads.GroupsAsync(
                request, form, Enum.TryParse<EntryGrouping>(request.Query("by"), ignoreCase: true, out var by) ? by : EntryGrouping.Kind)
                .ConfigureAwait(false),
            ApiJson.Default.EntryGroups)));
        Get(group, "entries/{id:long}", EntryAsync);
        foreach (var action in actions)
        {
            group.MapPost($"/{action.Route}", context => PostAsync(context, action));
        }
    }

    private void Get(RouteGroupBuilder group, string route, Func<DashboardRequest, Task<Reply>> answer)
        => group.MapGet($"/{route}", context => AnswerAsync(context, answer));

    private Task PostAsync(HttpContext context, IAction action) => AnswerAsync(context, request => ActAsync(request, action));

    private async Task AnswerAsync(HttpContext context, Func<DashboardRequest, Task<Reply>> answer)
    {
        SecurityHeaders.Apply(context.Response);
        var (access, refusal) = await gatekeeper.CheckAsync(context, isApi: true).ConfigureAwait(false);
        Reply reply;
        try
        {
            reply = access is null ? Problem(refusal!) : await answer(new DashboardRequest(context, access, "./")).ConfigureAwait(false);
        }
        catch (Exception failure) when (Failures.Explain(failure) is { } explained)
        {
            Log.PageFailed(logger, failure, context.Request.Path.ToUriComponent());
            reply = Problem(explained);
        }

        context.Response.StatusCode = reply.Status;
        context.Response.ContentType = reply.Status < 400 ? "application/json; charset=utf-8" : "application/problem+json; charset=utf-8";
        await reply.WriteAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
    }

    private async Task<Reply> EntryAsync(DashboardRequest request)
    {
        if (await reads.LifeAsync(request, Id(request)).ConfigureAwait(false) is not { } life)
        {
            return Missing();
        }

        if (request.Access.Data)
        {
            Log.DataOpened(logger, request.Access.User, $"entry {life.Entry.Id}");
        }

        return Json(data.Of(request, life), ApiJson.Default.EntryLife);
    }

    private static async Task<Reply> ListAsync(DashboardRequest request, Func<EntryForm, Task<Reply>> answer)
    {
        var form = EntryForm.Read(request);
        return form.IsRefused
            ? Problem(new Refusal(
                StatusCodes.Status403Forbidden, "Not allowed", "The conditions key, meta and text read data, which you may not see."))
            : form.Problems.Count > 0
                ? Problem(new Refusal(StatusCodes.Status400BadRequest, "The filter can't be read", string.Join(' ', form.Problems)))
                : await answer(form).ConfigureAwait(false);
    }

    private async Task<Reply> ActAsync(DashboardRequest request, IAction action)
    {
        if (!request.Context.Request.HasJsonContentType())
        {
            return Problem(new Refusal(
                StatusCodes.Status415UnsupportedMediaType, "Not JSON", "Send a JSON object with the content type application/json."));
        }

        if (request.Context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = MaxBodyBytes;
        }

        var form = await FieldsAsync(request).ConfigureAwait(false);
        request = new DashboardRequest(request.Context, request.Access, request.Root) { Form = form };
        var what = action.Describe(request);
        if (!request.Access.Operate)
        {
            await refusals.RecordAsync(request, what).ConfigureAwait(false);
            return Problem(new Refusal(StatusCodes.Status403Forbidden, "Read-only", "To act needs the policy that OperatePolicy names."));
        }

        var done = await action.RunAsync(request).ConfigureAwait(false);
        shared.Forget();
        Log.Acted(logger, request.Access.User, what, done.Path, done.Note);
        return Json(new ApiAnswer(done.Note, done.Path, done.Number, done.Undo), ApiJson.Default.ApiAnswer);
    }

    /// <summary>The members of the body as the fields of a form, so that an action is the same for pages and for the API.</summary>
    private static async Task<FormCollection> FieldsAsync(DashboardRequest request)
    {
        try
        {
            using var body = await JsonDocument.ParseAsync(
                request.Context.Request.Body, cancellationToken: request.Aborted).ConfigureAwait(false);
            return body.RootElement.ValueKind != JsonValueKind.Object
                ? throw new InvalidDataException("The body is not an object.")
                : new FormCollection(body.RootElement.EnumerateObject().ToDictionary(
                    static member => member.Name, static member => Values(member.Value), StringComparer.Ordinal));
        }
        catch (Exception failure) when (failure is JsonException or ArgumentException)
        {
            throw new InvalidDataException("The body is not a JSON object.", failure);
        }
    }

    private static StringValues Values(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().Select(static item => item.ToString()).ToArray(),
        JsonValueKind.Null => StringValues.Empty,
        _ => value.ToString(),
    };

    private async Task<Reply> TasksAsync(DashboardRequest request)
    {
        var page = await reads.TasksAsync(request, new TaskQuery
        {
            JobId = Guid.TryParse(request.Query("job"), out var job) ? job : null,
            State = Enum.TryParse<TaskState>(request.Query("state"), ignoreCase: true, out var state) ? state : null,
            Before = Guid.TryParse(request.Query("before"), out var before) ? before : null,
        }).ConfigureAwait(false);
        if (request.Access.Data)
        {
            Log.DataOpened(logger, request.Access.User, "tasks");
        }

        return Json(data.Of(request, page, await reads.JobsAsync(request).ConfigureAwait(false)), ApiJson.Default.TaskPage);
    }

    private ValueTask<EventPage> EventsAsync(DashboardRequest request)
    {
        var query = new EventQuery
        {
            Before = Number(request.Query("before")),
            After = Number(request.Query("after")),
            Node = request.Query("node"),
            Actor = request.Query("actor"),
        };
        return reads.EventsAsync(request, $"api {query.Before} {query.After} {query.Node?.Length} {query.Node} {query.Actor}", query);
    }

    private static List<ApiJob> Jobs(IEnumerable<Job> jobs) => [.. jobs.Select(static job =>
        new ApiJob(
            job.Id, job.Name, job.Kind, job.Queue, job.State, job.Schedule.ToString(),
            job.NextRunAt, job.Overlap, job.MissedRuns, job.DeclaredBy))];

    private static long? Number(string? text)
        => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static long Id(DashboardRequest request) => long.Parse(request.Route("id")!, CultureInfo.InvariantCulture);

    private static Reply Missing()
        => Problem(new Refusal(StatusCodes.Status404NotFound, "Not found", "It never existed, or retention has removed it."));

    private static Reply Problem(Refusal refusal)
        => Json(new ApiProblem(refusal.Status, refusal.Title, refusal.Text), ApiJson.Default.ApiProblem) with { Status = refusal.Status };

    private static Reply Json<T>(T value, JsonTypeInfo<T> type)
        => new(
            StatusCodes.Status200OK, (stream, cancellationToken) => JsonSerializer.SerializeAsync(stream, value, type, cancellationToken));

    private sealed record Reply(int Status, Func<Stream, CancellationToken, Task> WriteAsync);
}
