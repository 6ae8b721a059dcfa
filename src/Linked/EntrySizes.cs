namespace TaskRecovery.Storage;

/// <summary>How large an entry is for the limits of batches.</summary>
internal static class EntrySizes
{
    /// <summary>About how many bytes an entry has: its arguments, metadata, unique key and trace context.</summary>
    internal static long Of(NewEntry entry)
        => (long)entry.Args.Length + (entry.Metadata?.Length ?? 0) + (entry.UniqueKey?.Length ?? 0) + (entry.TraceParent?.Length ?? 0);
}
