using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>Enqueues through the library: single calls or batches, from one or more callers, at a rate or as fast as it goes.</summary>
internal sealed class Producer(IJobQueue queue, ChildSpec spec, ITransactions? transactions)
{
    private readonly EnqueueOptions _options = new() { Queue = spec.Queue, Priority = spec.Priority };
    private readonly double[] _times = spec.IsRandom ? RandomTimes(spec) : [];
    private long _next;
    private long _done;

    /// <summary>How long a wave of a warm-up stores entries.</summary>
    public static double WarmUpSeconds { get; } = WarmUp.IsQuick ? 0.5 : 1;

    public long Count => Interlocked.Read(ref _done);

    public long[] Called { get; } = spec.Record ? new long[1 << 18] : [];

    public long[] Returned { get; } = spec.Record ? new long[1 << 18] : [];

    /// <summary>The same calls as fast as they go, with entries that no log counts as measured.</summary>
    public static ChildSpec WarmUpOf(ChildSpec spec)
        => spec with
        {
            FirstNumber = long.MinValue
            / 2,
            Queue = BenchmarkQueues.WarmUp,
            Record = false,
            IsRandom = false,
            Rate = 0,
            Seconds = WarmUpSeconds,
            Count = 0,
            Milliseconds = [0],
        };

    /// <summary>Enqueues as much, or for as long, as the specification says. Another run goes on with the numbers of the last.</summary>
    public async Task RunAsync()
    {
        var (started, begin) = (Stopwatch.GetTimestamp(), Count);
        Interlocked.Exchange(ref _next, begin);
        await Task.WhenAll(Enumerable.Range(0, spec.Parallel).Select(_ => Task.Run(() => CallAsync(started, begin))));
    }

    private async Task CallAsync(long started, long begin)
    {
        // The time is looked at first, so that the numbers of a timed run have no gaps.
        while (spec.Count > 0 || Stopwatch.GetElapsedTime(started).TotalSeconds < spec.Seconds)
        {
            var first = Interlocked.Add(ref _next, spec.Batch) - spec.Batch;
            if (spec.Count > 0 && first - begin >= spec.Count)
            {
                return;
            }

            if (spec.Rate > 0)
            {
                await WaitUntilAsync(started, spec.IsRandom ? _times[first - begin] : (first - begin) / spec.Rate);
            }

            await EnqueueAsync(spec.FirstNumber + first);
            Interlocked.Add(ref _done, spec.Batch);
        }
    }

    private async Task EnqueueAsync(long first)
    {
        Record(Called, first);
        if (transactions is not null)
        {
            await transactions.RunAsync(transaction => spec.Batch == 1
                ? queue.EnqueueAsync(Args(first), transaction, Options(first)).AsTask()
                : queue.EnqueueManyAsync(Requests(first), transaction).AsTask());
        }
        else if (spec.Batch == 1)
        {
            await queue.EnqueueAsync(Args(first), Options(first));
        }
        else
        {
            await queue.EnqueueManyAsync(Requests(first));
        }

        Record(Returned, first);
    }

    private EnqueueRequest[] Requests(long first)
    {
        var requests = new EnqueueRequest[spec.Batch];
        for (var i = 0; i < requests.Length; i++)
        {
            requests[i] = EnqueueRequest.Create(Args(first + i), Options(first + i));
        }

        return requests;
    }

    private EnqueueOptions Options(long number) => spec.HasKeys
        ? new EnqueueOptions { Queue = spec.Queue, Priority = spec.Priority, UniqueKey = number.ToString(CultureInfo.InvariantCulture) }
        : _options;

    private BenchmarkArgs Args(long number)
        => BenchmarkArgs.Create(number, spec.Milliseconds[number % spec.Milliseconds.Length], spec.ArgsBytes);

    private void Record(long[] times, long first)
    {
        if (times.Length > 0)
        {
            var now = Stopwatch.GetTimestamp();
            for (var number = first; number < Math.Min(first + spec.Batch, times.Length); number++)
            {
                times[number] = now;
            }
        }
    }

    // The same ones in each run: as many independent callers would have them.
    private static double[] RandomTimes(ChildSpec spec)
    {
        var (random, times) = (new Random(1), new double[spec.Count]);
        for (var number = 1; number < times.Length; number++)
        {
            times[number] = times[number - 1] - (Math.Log(1 - random.NextDouble()) / spec.Rate);
        }

        return times;
    }

    private static async Task WaitUntilAsync(long started, double seconds)
    {
        var left = seconds - Stopwatch.GetElapsedTime(started).TotalSeconds;
        if (left > 0.0005)
        {
            await Task.Delay(TimeSpan.FromSeconds(left));
        }
    }
}

/// <summary>A producer process.</summary>
internal sealed class EnqueueChild(ChildSpec spec) : Child, IAsyncDisposable
{
    private Microsoft.Extensions.Hosting.IHost? _host;
    private Producer? _producer;

    protected override long Count => _producer?.Count ?? 0;

    protected override long[][] Times => spec.Record && _producer is not null ? [_producer.Called, _producer.Returned] : [];

    protected override async Task PrepareAsync()
    {
        _host = BenchmarkHost.Create(spec.Store, spec.ConnectionString, builder => builder.AddKind<BenchmarkArgs>());
        await _host.StartAsync();
        var queue = _host.Services.GetRequiredService<IJobQueue>();
        var transactions = spec.InTransaction ? BenchmarkStores.Transactions(spec.Store, spec.ConnectionString) : null;
        await WarmUp.UntilCompiledAsync(_ => new Producer(queue, Producer.WarmUpOf(spec), transactions).RunAsync());
        _producer = new Producer(queue, spec, transactions);
    }

    protected override Task GoAsync() => _producer!.RunAsync();

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.StopAsync();
            _host.Dispose();
        }
    }
}
