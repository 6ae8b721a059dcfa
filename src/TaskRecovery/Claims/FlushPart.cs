namespace TaskRecovery.Claims;

/// <summary>Divides a batch of outcomes by count and by size, so that one call does not hold the store's connection, or its only write
/// lock, for long.</summary>
internal static class FlushPart
{
    /// <summary>The maximum size of results and errors in one call of the store, in bytes. A larger outcome is sent alone.</summary>
    internal const int MaxBytes = 8 * 1024 * 1024;

    /// <summary>The outcomes from index <paramref name="start"/> on: at least one, and at most <paramref name="size"/>.</summary>
    public static List<PendingOutcome> Of(List<PendingOutcome> batch, int start, int size)
    {
        var (end, bytes) = (start, 0L);
        while (end < batch.Count && end - start < size)
        {
            bytes += BytesOf(batch[end]);
            if (bytes > MaxBytes && end > start)
            {
                break;
            }

            end++;
        }

        return end - start == batch.Count ? batch : batch.GetRange(start, end - start);
    }

    private static long BytesOf(PendingOutcome settlement) => settlement.Outcome.Result.Length + (settlement.Outcome.Error?.Length ?? 0L);
}
