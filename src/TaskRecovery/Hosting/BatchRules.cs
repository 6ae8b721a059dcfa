namespace TaskRecovery.Hosting;

/// <summary>How a <see cref="Batcher{T}"/> divides its items into batches.</summary>
internal sealed record BatchRules<T>
{
    /// <summary>How many batches may be written at once.</summary>
    public required int MaxWriters { get; init; }

    /// <summary>The maximum number of items of a batch.</summary>
    public required int MaxItems { get; init; }

    /// <summary>While a batch is being written, another writer starts only if so many items wait.</summary>
    public int NextWriterFrom { get; init; } = 1;

    /// <summary>The size of an item; <see langword="null"/> if batches are limited by their number of items only.</summary>
    public Func<T, long>? SizeOf { get; init; }

    /// <summary>The maximum size of a batch. A larger item is written alone.</summary>
    public long MaxSize { get; init; } = long.MaxValue;

    /// <summary>A batch of so many items shows that more items are coming: the writer then pauses for <see cref="BusyPause"/>, so that the
    /// next batch is worth its transaction.</summary>
    public int BusyFrom { get; init; } = int.MaxValue;

    /// <summary>The pause after a large batch. It is skipped if enough items for another writer wait already.</summary>
    public TimeSpan BusyPause { get; init; }
}
