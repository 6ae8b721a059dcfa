using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using TaskRecovery.Dashboard.Actions;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Pages;
using TaskRecovery.Dashboard.Security;

namespace TaskRecovery.Dashboard.Api;

/// <summary>The pages as JSON, with the same rights, and the actions of the pages with JSON bodies.</summary>
internal sealed partial class ApiEndpoints(
    IEnumerable<IAction> actions, Acting acting, Gatekeeper gatekeeper, Reads reads, Finder finder, ApiData data, TimeProvider time,
    ILogger<ApiEndpoints> logger)
{
    private const int DefaultLimit = 100;

    public void Map(RouteGroupBuilder group)
    {
        Get(group, "snapshot", SnapshotAsync);
        Get(group, "kinds", async request => Json(
            await reads.KindsAsync(request).ConfigureAwait(false), ApiJson.Default.IReadOnlyListKindSummary));
        Get(group, "nodes", async request => Json(
            await reads.NodesAsync(request).ConfigureAwait(false), ApiJson.Default.IReadOnlyListNodeSummary));
        Get(
            group, "jobs", async request => Json(await JobsAsync(request).ConfigureAwait(false), ApiJson.Default.ApiJobPage),
            "after", "limit");
        Get(group, "tasks", TasksAsync, "job", "state", "before", "limit");
        Get(
            group, "events", async request => Json(await EventsAsync(request).ConfigureAwait(false), ApiJson.Default.EventPage),
            "node", "actor", "after", "before", "limit");
        Get(
            group, "operations",
            async request => Json(await OperationsAsync(request).ConfigureAwait(false), ApiJson.Default.ApiOperationPage),
            "before", "limit");
        Get(group, "operations/{id:long}", async request => await reads.OperationAsync(request, request.Id).ConfigureAwait(false) is { } one
            ? Json(ApiData.Of(request, one), ApiJson.Default.BulkOperation)
            : Missing());
        Get(group, "entries", request => ListAsync(
            request, async form => Json(
                await reads.EntriesAsync(request, form, Parameters.Limit(request)).ConfigureAwait(false),
                ApiJson.Default.EntrySummaryPage)),
            [.. EntryForm.Names, "before", "limit"]);
        Get(group, "groups", request => ListAsync(request, async form => Json(
            await reads.GroupsAsync(request, form, Parameters.Choice<EntryGrouping>(request, "by") ?? EntryGrouping.Kind)
                .ConfigureAwait(false),
            ApiJson.Default.EntryGroups)), [.. EntryForm.Names, "by"]);
        Get(group, "entries/{id:long}", EntryAsync);
        MapDetails(group);
        foreach (var action in actions)
        {
            group.MapPost($"/{action.Route}", context => PostAsync(context, action)).WithMetadata(action);
        }
    }

    private void Get(RouteGroupBuilder group, string route, Func<DashboardRequest, Task<Reply>> answer, params string[] names)
    {
        var parameters = new Parameters(names);
        group.MapGet($"/{route}", context => AnswerAsync(context, CheckAndAnswerAsync)).WithMetadata(parameters);

        Task<Reply> CheckAndAnswerAsync(DashboardRequest request)
        {
            parameters.Check(request);
            return answer(request);
        }
    }

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
            Failures.Report(logger, context, failure, explained);
            reply = Problem(explained);
        }

        context.Response.StatusCode = reply.Status;
        context.Response.ContentType = reply.Status < 400 ? "application/json; charset=utf-8" : "application/problem+json; charset=utf-8";
        await reply.WriteAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
    }

    private async Task<Reply> SnapshotAsync(DashboardRequest request)
    {
        var snapshot = await reads.SnapshotAsync(request).ConfigureAwait(false);
        return request.Access.Scope is null
            ? Json(snapshot, ApiJson.Default.QueueSnapshot)
            : Json(new ApiSnapshot(snapshot.TakenAt, snapshot.Queues), ApiJson.Default.ApiSnapshot);
    }

    private async Task<Reply> EntryAsync(DashboardRequest request)
    {
        if (await reads.LifeAsync(request, request.Id).ConfigureAwait(false) is not { } life)
        {
            return Missing();
        }

        LogOpened(request, $"entry {life.Entry.Id}");
        return Json(data.Of(request, life), ApiJson.Default.EntryLife);
    }

    private static async Task<Reply> ListAsync(DashboardRequest request, Func<EntryForm, Task<Reply>> answer)
    {
        var form = EntryForm.Read(request);
        return form.IsRefused
            ? Problem(new Refusal(
                StatusCodes.Status403Forbidden, "Not allowed", EntryForm.Refused(request.Access)))
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

        Acting.LimitBody(request.Context);
        var form = await FieldsAsync(request).ConfigureAwait(false);
        if (form.Keys.FirstOrDefault(name => !action.Members.Contains(name, StringComparer.Ordinal)) is { } unknown)
        {
            // If it were ignored, another action would be done than the one that was asked for: for example a pause without its end.
            throw new InvalidInputException($"'{InvalidInputException.Shown(unknown)}' is not a member of the body of this action. "
                + $"Use {string.Join(", ", action.Members)}.");
        }

        request = new DashboardRequest(request.Context, request.Access, request.Root) { Form = form };
        if (await acting.RunAsync(request, action).ConfigureAwait(false) is not { } done)
        {
            return Problem(new Refusal(StatusCodes.Status403Forbidden, "Read-only", "To act needs the policy that OperatePolicy names."));
        }

        return Json(new ApiAnswer(done.Note, done.Path, done.Number, done.Undo, done.Entries), ApiJson.Default.ApiAnswer);
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
        catch (Exception failure) when (failure is JsonException or ArgumentException or InvalidOperationException)
        {
            // Not JSON, a member that is there twice, or half of a surrogate pair, which is no text.
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
        var tasks = await reads.TasksAsync(request, new TaskQuery
        {
            JobId = Parameters.Id(request, "job"),
            State = Parameters.Choice<TaskState>(request, "state"),
            Before = Parameters.Id(request, "before"),
            Limit = Parameters.Limit(request) ?? DefaultLimit,
        }).ConfigureAwait(false);
        LogOpened(request, "tasks");
        return Json(data.Of(request, tasks), ApiJson.Default.TaskPage);
    }

    private ValueTask<EventPage> EventsAsync(DashboardRequest request) => reads.EventsAsync(request, new EventQuery
    {
        Before = Parameters.Number(request, "before"),
        After = Parameters.Number(request, "after"),
        Node = Parameters.Name(request, "node"),
        Actor = Parameters.Name(request, "actor"),
        Limit = Parameters.Limit(request) ?? DefaultLimit,
    });

    private async Task<ApiOperationPage> OperationsAsync(DashboardRequest request)
    {
        var page = await reads.OperationsAsync(
            request, Parameters.Number(request, "before"), Parameters.Limit(request)).ConfigureAwait(false);
        return new ApiOperationPage(ApiData.Of(request, page.Operations), page.NextBefore);
    }

    private async Task<ApiJobPage> JobsAsync(DashboardRequest request)
    {
        var page = await reads.JobsAsync(
            request, Parameters.Name(request, "after"), Parameters.Limit(request)).ConfigureAwait(false);
        return new ApiJobPage([.. page.Jobs.Select(static job => ApiJob.Of(job, args: null))], page.NextAfter);
    }

    private static Reply Missing()
        => Problem(new Refusal(StatusCodes.Status404NotFound, "Not found", "It never existed, or retention has removed it."));

    private static Reply Problem(Refusal refusal)
        => Json(new ApiProblem(refusal.Status, refusal.Title, Detail(refusal)), ApiJson.Default.ApiProblem) with
        {
            Status = refusal.Status,
        };

    private static string Detail(Refusal refusal)
        => refusal.Look.Count == 0 ? refusal.Text : $"{refusal.Text} Ask for {string.Join(", ", refusal.Look)}.";

    private static Reply Json<T>(T value, JsonTypeInfo<T> type)
        => new(
            StatusCodes.Status200OK, (stream, cancellationToken) => JsonSerializer.SerializeAsync(stream, value, type, cancellationToken));

    private sealed record Reply(int Status, Func<Stream, CancellationToken, Task> WriteAsync);
}
