namespace TaskRecovery.Dashboard.Pages;

/// <summary>A user's earlier search still runs.</summary>
internal sealed class SearchRunningException() : Exception(
    "Your earlier search is still running. Wait until it has ended, then search again.");
