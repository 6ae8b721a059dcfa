using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>All queues, and where they are paused and resumed.</summary>
internal sealed class QueuesPage(Reads reads) : IPage
{
    public string Route => "queues";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        if (!request.Access.SeesWholeQueues)
        {
            return OutOfView.Of(Section.Queues, "Queues");
        }

        var snapshot = await reads.SnapshotAsync(request).ConfigureAwait(false);
        return new Page("Queues", Section.Queues, QueueTable.Card(request, snapshot, withActions: true)) { Live = TimeSpan.FromSeconds(2) };
    }
}
