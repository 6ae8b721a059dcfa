namespace TaskRecovery.Dashboard.Pages;

/// <summary>The places of the navigation.</summary>
internal enum Section
{
    None,
    Overview,
    Queues,
    Entries,
    Kinds,
    Jobs,
    Tasks,
    Nodes,
    Events,
    Operations,
    About,
}
