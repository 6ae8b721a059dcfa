namespace TaskRecovery.Workers;

/// <summary>Divides a batch of outcomes by count and by bytes: what is sent to a store at once must not hold its connection, or its only write lock, for long.</summary>
internal static class FlushPart
{
    /// <summary>How many bytes of results and errors go into one call of the store; a larger outcome goes alone.</summary>
    internal const int MaxBytes = 8 * 1024 * 1024;

    /// <summary>The outcomes from <paramref name="start"/> on, at most <paramref name="size"/> of them and at least one.</summary>
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
