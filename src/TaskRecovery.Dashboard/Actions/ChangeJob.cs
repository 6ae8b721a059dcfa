using TaskRecovery.Dashboard.Hosting;

namespace TaskRecovery.Dashboard.Actions;

/// <summary>Runs a job now, or deletes it.</summary>
internal sealed class ChangeJob(bool isDelete, IJobService jobs, IQueueOperator operations) : IAction
{
    public string Route => isDelete ? "jobs/{id:guid}/delete" : "jobs/{id:guid}/run";

    public IReadOnlyList<string> Members => isDelete ? ["confirm", "reason"] : ["reason"];

    public string Describe(DashboardRequest request) => $"{(isDelete ? "delete" : "run")} job {request.Route("id")}";

    public async ValueTask<Done> RunAsync(DashboardRequest request)
    {
        var id = request.JobId;
        if (await jobs.GetAsync(id, request.Aborted).ConfigureAwait(false) is not { } job || !request.Access.SeesJob(job))
        {
            return new Done("jobs", "refused-missing");
        }

        if (!isDelete)
        {
            var entry = await UnconfirmedException.WhileAsync(
                () => operations.TriggerJobAsync(id, Audits.Of(request), overlap: null, request.Aborted)).ConfigureAwait(false);
            return entry is null ? new Done($"jobs/{id}", "not-triggered") : new Done($"jobs/{id}", "triggered") { Number = entry };
        }

        if (request.Field("confirm") != job.Name)
        {
            return new Done($"jobs/{id}", "name-differs");
        }

        var result = await UnconfirmedException.WhileAsync(
            () => operations.DeleteJobAsync(id, Audits.Of(request), request.Aborted)).ConfigureAwait(false);
        return result == OperatorResult.Done ? new Done("jobs", "deleted") : new Done("jobs", "refused-missing");
    }
}
