using TaskRecovery.Dashboard.Hosting;

namespace TaskRecovery.Dashboard.Actions;

/// <summary>Something that an operator does by posting a form.</summary>
internal interface IAction
{
    /// <summary>The pattern of its address below the dashboard's root.</summary>
    string Route { get; }

    /// <summary>The members that a body of the API may have. The form of a page may have more, for example what a middleware of the
    /// application reads.</summary>
    IReadOnlyList<string> Members { get; }

    /// <summary>What it does and to what, for the log.</summary>
    string Describe(DashboardRequest request);

    ValueTask<Done> RunAsync(DashboardRequest request);
}
