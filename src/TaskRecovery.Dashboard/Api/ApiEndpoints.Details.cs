using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using TaskRecovery.Dashboard.Actions;
using TaskRecovery.Dashboard.Diagnostics;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Pages;
using TaskRecovery.Dashboard.Security;

namespace TaskRecovery.Dashboard.Api;

/// <content>What belongs to one entry, job or operation, the throughput, and the search.</content>
internal sealed partial class ApiEndpoints
{
    private const int NextRuns = 5;
    private const int LastTasks = 20;

    // 90 days, for which counts are kept.
    private const int MaxBucket = 90 * 24 * 60;

    private void MapDetails(RouteGroupBuilder group)
    {
        Get(
            group, "throughput",
            async request => Json(await ThroughputAsync(request).ConfigureAwait(false), ApiJson.Default.Throughput),
            "from", "to", "bucket", "by", "queue", "kind");
        Get(group, "jobs/{id:guid}", JobAsync);
        Get(group, "operations/{id:long}/entries", OperationEntriesAsync, "refused", "after", "limit");
        Get(group, "entries/{id:long}/log", request => DataAsync(request, LogAsync));
        Get(group, "entries/{id:long}/steps/{n:int}", request => DataAsync(request, StepAsync));
        Get(group, "entries/{id:long}/checkpoint", request => DataAsync(request, CheckpointAsync));
        Get(group, "search", SearchAsync, "q");
    }

    private ValueTask<Throughput> ThroughputAsync(DashboardRequest request)
    {
        var to = Parameters.Time(request, "to") ?? time.GetUtcNow();
        var minutes = Parameters.Between(request, "bucket", 1, MaxBucket);
        return reads.ThroughputAsync(request, new ThroughputQuery
        {
            From = Parameters.Time(request, "from") ?? to.AddHours(-1),
            To = to,
            Bucket = minutes is { } length ? TimeSpan.FromMinutes(length) : null,
            By = Parameters.Choice<ThroughputGrouping>(request, "by") ?? ThroughputGrouping.None,
            Queue = Parameters.Name(request, "queue"),
            Kind = Parameters.Name(request, "kind"),
        });
    }

    private async Task<Reply> JobAsync(DashboardRequest request)
    {
        if (await reads.JobAsync(request, request.JobId).ConfigureAwait(false) is not { } job)
        {
            return Missing();
        }

        var next = await reads.NextRunsAsync(request, job, NextRuns).ConfigureAwait(false);
        var tasks = await reads.TasksAsync(request, new TaskQuery { JobId = job.Id, Limit = LastTasks }).ConfigureAwait(false);
        LogOpened(request, $"job {job.Id}");
        return Json(
            new ApiJobDetails(data.Of(request, job), next, data.Of(request, tasks).Tasks), ApiJson.Default.ApiJobDetails);
    }

    private async Task<Reply> OperationEntriesAsync(DashboardRequest request)
    {
        var query = new OperationEntryQuery
        {
            OperationId = request.Id,
            OnlyRefused = Parameters.Flag(request, "refused"),
            After = Parameters.Number(request, "after"),
            Limit = Parameters.Limit(request) ?? DefaultLimit,
        };
        return await reads.OperationAsync(request, request.Id).ConfigureAwait(false) is null
            ? Missing()
            : Json(await reads.OperationEntriesAsync(request, query).ConfigureAwait(false), ApiJson.Default.OperationEntryPage);
    }

    // Without the right nothing is read, so that the answer does not say whether there is such an entry.
    private async Task<Reply> DataAsync(DashboardRequest request, Func<DashboardRequest, EntryLife, ValueTask<Reply?>> read)
    {
        if (!request.Access.Data)
        {
            return Problem(new Refusal(
                StatusCodes.Status403Forbidden, "Not allowed", "To see data needs the policy that DataPolicy names."));
        }

        if (await reads.LifeAsync(request, request.Id).ConfigureAwait(false) is not { } life
            || await read(request, life).ConfigureAwait(false) is not { } reply)
        {
            return Missing();
        }

        LogOpened(request, $"entry {life.Entry.Id}");
        return reply;
    }

    private async ValueTask<Reply?> LogAsync(DashboardRequest request, EntryLife life)
        => Json(
            data.Of(request, life, await reads.LogAsync(request, life).ConfigureAwait(false)),
            ApiJson.Default.IReadOnlyListRunLogLine);

    // By its number, because a name is data.
    private async ValueTask<Reply?> StepAsync(DashboardRequest request, EntryLife life)
    {
        if (DashboardRequest.Whole(request.Route("n")) is not { } number || number < 1 || number > life.Steps.Count)
        {
            return null;
        }

        var step = life.Steps[(int)number - 1];
        var result = await reads.StepAsync(request, life, step.Name).ConfigureAwait(false);
        return result is null ? null : Json(data.Of(request, life, (int)number, result), ApiJson.Default.ApiStep);
    }

    private async ValueTask<Reply?> CheckpointAsync(DashboardRequest request, EntryLife life)
        => life.Checkpoint is { } checkpoint && await reads.CheckpointAsync(request, life).ConfigureAwait(false) is { } value
            ? Json(data.Of(request, life, checkpoint, value), ApiJson.Default.ApiCheckpoint)
            : null;

    private async Task<Reply> SearchAsync(DashboardRequest request)
    {
        var text = Parameters.Text(request, "q") ?? throw new InvalidInputException("Give the text to look for as 'q'.");
        return Json(ApiSearch.Of(await finder.FindAsync(request, text).ConfigureAwait(false)), ApiJson.Default.ApiSearch);
    }

    private void LogOpened(DashboardRequest request, string what)
    {
        if (request.Access.Data)
        {
            Log.DataOpened(logger, request.Access.User, what);
        }
    }
}
