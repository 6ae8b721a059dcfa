using TaskRecovery.Dashboard.Hosting;

namespace TaskRecovery.Dashboard.Actions;

/// <summary>Runs a job now, or deletes it.</summary>
internal sealed class ChangeJob(bool isDelete, IJobService jobs) : IAction
{
    public string Route => isDelete ? "jobs/{id:guid}/delete" : "jobs/{id:guid}/run";

    public string Describe(DashboardRequest request) => $"{(isDelete ? "delete" : "run")} job {request.Route("id")}";

    public async ValueTask<Done> RunAsync(DashboardRequest request)
    {
        var id = Guid.Parse(request.Route("id")!);
        if (await jobs.GetAsync(id, request.Aborted).ConfigureAwait(false) is not { } job)
        {
            return new Done("jobs", "refused-missing");
        }

        if (!isDelete)
        {
            return await RunNowAsync(job, request.Aborted).ConfigureAwait(false);
        }

        if (request.Field("confirm") != job.Name)
        {
            return new Done($"jobs/{id}", "name-differs");
        }

        return await jobs.DeleteAsync(id, request.Aborted).ConfigureAwait(false) ? new Done("jobs", "deleted") : new Done("jobs", "refused-missing");
    }

    private async ValueTask<Done> RunNowAsync(Job job, CancellationToken cancellationToken)
    {
        try
        {
            var entry = await jobs.TriggerNowAsync(job.Id, cancellationToken: cancellationToken).ConfigureAwait(false);
            return new Done($"jobs/{job.Id}", "triggered") { Number = entry };
        }
        catch (InvalidOperationException)
        {
            return new Done($"jobs/{job.Id}", "not-triggered");
        }
    }
}
