namespace TaskRecovery.Storage;

/// <summary>The filter of <see cref="IJobQueue.ListAsync"/> as a query of the read model.</summary>
internal static class EntryFilterQuery
{
    public static EntryQuery Of(EntryFilter filter) => new()
    {
        States = filter.State is { } state ? [state] : null,
        Queue = filter.Queue,
        Kind = filter.Kind,
        Before = filter.Before,
        Limit = filter.Limit,
    };
}
