using System.Collections.Concurrent;
using System.Diagnostics;
using TaskRecovery.Crash.Host;

namespace TaskRecovery.Chaos;

/// <summary>Enqueues all kinds of work at a steady rate, and remembers what was acknowledged.</summary>
internal sealed class Producer(IJobQueue queue, Random random, int perSecond, int longestOpenMs)
{
    /// <summary>What its only attempt fails.</summary>
    public const string OddForGood = "odd for good";

    /// <summary>What is erased while it waits or runs, or after it has ended.</summary>
    public const string ToErase = "to erase";

    private static readonly EnqueueOptions Personal =
        new() { Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["person"] = "4711" } };

    /// <summary>What may not start after some time.</summary>
    public const string Expiring = "expiring";

    private const int UniqueKeys = 20;
    private const int TicksBetweenBatches = 70;
    private const double LargestBatch = 5000;

    // Now and then one is as large as a call may be. It is rare, because the workers have to run all of it.
    private const double LargestOfAll = 100_000;
    private const int BatchesPerLargest = 25;
    private const int FirstLargest = 4;

    private int _batches;
    private long? _eraseNext;

    /// <summary>What was acknowledged, and as what.</summary>
    public Acknowledgements Acknowledged { get; } = new();

    /// <summary>What was acknowledged as erased.</summary>
    public Acknowledgements Erased { get; } = new();

    /// <summary>When entries expire, in ticks of the monotonic clock.</summary>
    public ConcurrentDictionary<long, long> Expiries { get; } = new();

    /// <summary>How many enqueues were refused or not confirmed.</summary>
    public int Unconfirmed { get; private set; }

    /// <summary>How many were duplicates of a key that was held.</summary>
    public int Duplicates { get; private set; }

    /// <summary>Stores entries with steps, all at once.</summary>
    public async Task StoreStepsAsync(int count, int steps, int holdMs, CancellationToken cancellationToken)
    {
        foreach (var result in await queue.EnqueueManyAsync(Enumerable.Range(0, count).Select(
            _ => EnqueueRequest.Create(new StepsProbe(steps, holdMs))), cancellationToken: cancellationToken))
        {
            Acknowledged.Add(result.Id, "steps", Stopwatch.GetTimestamp());
        }
    }

    /// <summary>Enqueues until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        try
        {
            for (var tick = 1; await timer.WaitForNextTickAsync(cancellationToken); tick++)
            {
                if (tick % TicksBetweenBatches == 0)
                {
                    await TryEnqueueManyAsync(cancellationToken);
                }

                for (var count = 0; count < Math.Max(1, perSecond / 10); count++)
                {
                    await TryEnqueueAsync(cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The harm is over.
        }
    }

    /// <summary>Stores many at once, in several statements or transactions: none of it is confirmed if one was not.</summary>
    private async Task TryEnqueueManyAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Small ones are as frequent as large ones.
            var count = _batches++ % BatchesPerLargest == FirstLargest
                ? (int)(LargestBatch * Math.Pow(LargestOfAll / LargestBatch, random.NextDouble()))
                : (int)Math.Pow(LargestBatch, random.NextDouble());
            var requests = Enumerable.Range(0, count).Select(_ => EnqueueRequest.Create(new PlainProbe(0)));
            foreach (var result in await queue.EnqueueManyAsync(requests, cancellationToken: cancellationToken))
            {
                Acknowledged.Add(result.Id, "batch", Stopwatch.GetTimestamp());
            }
        }
        catch (StoreUnavailableException)
        {
            Unconfirmed++;
        }
    }

    private async Task<EnqueueResult> EnqueueExpiringAsync(CancellationToken cancellationToken)
    {
        var within = TimeSpan.FromMilliseconds(random.Next(100, 2000));
        var expires = Stopwatch.GetTimestamp() + (long)(within.TotalSeconds * Stopwatch.Frequency);
        var result = await queue.EnqueueAsync(
            new PlainProbe(50), new EnqueueOptions { ExpiresAt = DateTimeOffset.UtcNow + within }, cancellationToken);
        Expiries[result.Id] = expires;
        return result;
    }

    private async Task TryEnqueueAsync(CancellationToken cancellationToken)
    {
        try
        {
            var dice = random.Next(100);
            var (what, result) = dice switch
            {
                < 3 => (Expiring, await EnqueueExpiringAsync(cancellationToken)),
                < 29 => ("plain", await queue.EnqueueAsync(new PlainProbe(random.Next(20, 400)), null, cancellationToken)),
                < 31 => ("blocking", await queue.EnqueueAsync(
                    new PlainProbe(random.Next(200, 8000), Blocks: true), null, cancellationToken)),
                < 33 => ("large result", await queue.EnqueueAsync(
                    new PlainProbe(50, ResultBytes: random.Next(100_000, 1_000_000)), null, cancellationToken)),
                < 35 => ("odd", await queue.EnqueueAsync(new OddProbe(random.Next(100), Times: 1), null, cancellationToken)),
                < 36 => (OddForGood, await queue.EnqueueAsync(
                    new OddProbe(random.Next(100), Times: int.MaxValue), new EnqueueOptions { MaxAttempts = 1 }, cancellationToken)),
                < 38 => ("long", await queue.EnqueueAsync(new PlainProbe(random.Next(2000, 20_000)), null, cancellationToken)),
                < 40 => ("deaf", await queue.EnqueueAsync(
                    new PlainProbe(random.Next(2000, 20_000), IsUnresponsive: true), null, cancellationToken)),
                < 60 => ("steps", await queue.EnqueueAsync(
                    new StepsProbe(random.Next(2, 6), random.Next(20, 300)), null, cancellationToken)),
                < 66 => ("checkpoints", await queue.EnqueueAsync(
                    new CheckpointProbe(random.Next(3, 8), random.Next(20, 200)), null, cancellationToken)),
                < 68 => ("checkpoints without a pause", await queue.EnqueueAsync(
                    new CheckpointProbe(random.Next(50, 200), HoldMs: 5), null, cancellationToken)),
                < 70 => ("transaction", await queue.EnqueueAsync(
                    new TransactionProbe(random.Next(5, 100), random.Next(longestOpenMs)), null, cancellationToken)),
                < 83 => ("transaction", await queue.EnqueueAsync(new TransactionProbe(random.Next(5, 100)), null, cancellationToken)),
                < 90 => ("scheduled", await queue.EnqueueAsync(
                    new PlainProbe(50), new EnqueueOptions { RunAfter = TimeSpan.FromMilliseconds(random.Next(100, 8000)) },
                    cancellationToken)),
                < 96 => ("unique", await queue.EnqueueAsync(
                    new PlainProbe(300), new EnqueueOptions { UniqueKey = $"key-{random.Next(UniqueKeys)}" }, cancellationToken)),
                < 98 => (ToErase, await queue.EnqueueAsync(
                    new StepsProbe(random.Next(2, 6), random.Next(20, 300)), Personal, cancellationToken)),
                _ => ("cancelled", await queue.EnqueueAsync(new PlainProbe(5000), null, cancellationToken)),
            };
            if (result.IsDuplicate)
            {
                Duplicates++;
                return;
            }

            Acknowledged.Add(result.Id, what, Stopwatch.GetTimestamp());
            if (what == "cancelled")
            {
                await queue.CancelAsync(result.Id, cancellationToken);
            }
            else if (what == ToErase)
            {
                await EraseAsync(result.Id, cancellationToken);
            }
        }
        catch (StoreUnavailableException)
        {
            // Not confirmed: it may be stored or not. Only what was acknowledged is held against the library.
            Unconfirmed++;
        }
    }

    // Erases the new entry at once, or the one before: that one runs or has ended by now.
    private async Task EraseAsync(long entryId, CancellationToken cancellationToken)
    {
        var erased = _eraseNext;
        if (random.Next(2) == 0)
        {
            erased = entryId;
        }
        else
        {
            _eraseNext = entryId;
        }

        if (erased is { } id)
        {
            await queue.EraseAsync(EraseTarget.Entry(id), cancellationToken);
            Erased.Add(id, ToErase, Stopwatch.GetTimestamp());
        }
    }
}
