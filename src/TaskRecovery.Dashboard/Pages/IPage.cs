using TaskRecovery.Dashboard.Hosting;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>A page of the dashboard. It reads and renders; it changes nothing.</summary>
internal interface IPage
{
    /// <summary>The pattern of its address below the dashboard's root.</summary>
    string Route { get; }

    ValueTask<Page> RenderAsync(DashboardRequest request);
}
