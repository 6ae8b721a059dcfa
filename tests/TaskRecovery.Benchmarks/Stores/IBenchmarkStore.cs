using System.Data.Common;

namespace TaskRecovery.Benchmarks.Stores;

/// <summary>A store as the benchmarks see it: a place for databases.</summary>
internal interface IBenchmarkStore : IAsyncDisposable
{
    string Name { get; }

    /// <summary>What a floor is, in the name of its case.</summary>
    string FloorName { get; }

    /// <summary>What it is, for the docs page.</summary>
    Task<string> DescribeAsync();

    /// <summary>Creates a database with the library's tables.</summary>
    Task<IBenchmarkDatabase> CreateAsync();

    /// <summary>Copies a database that nobody uses.</summary>
    Task<IBenchmarkDatabase> CopyAsync(IBenchmarkDatabase template);
}

/// <summary>A database of one case, gone when disposed.</summary>
internal interface IBenchmarkDatabase : IAsyncDisposable
{
    string ConnectionString { get; }

    /// <summary>Stores entries as fast as it can, without being measured.</summary>
    Task FillAsync(FillSpec fill);

    /// <summary>Lets statistics and the disk catch up, and lets go of every connection.</summary>
    Task SettleAsync();

    /// <summary>Lets statistics and the disk catch up beside the connections that are open.</summary>
    Task CatchUpAsync();

    /// <summary>Seconds on the store's clock.</summary>
    Task<double> NowAsync();

    /// <summary>How many outcomes are stored since then, and when the last one was, in seconds on the store's clock.</summary>
    Task<(long Count, double Last)> OutcomesAsync(double since);

    /// <summary>Sets the pause mark of a queue as the library does.</summary>
    Task SetPausedAsync(string queue, bool paused);

    /// <summary>How long statements have run in the store so far, in milliseconds; not a number if it does not count that.</summary>
    Task<double> StatementTimeAsync();

    /// <summary>What the store has done so far.</summary>
    Task<StoreCost> CostAsync();

    /// <summary>How many entries are stored, ended ones too, and how many bytes everything takes.</summary>
    Task<(long Entries, double Bytes)> SizeAsync();

    /// <summary>Makes copies of the one interval job that is there, all due at once, so that there are so many.</summary>
    Task CopyJobAsync(int jobs);

    /// <summary>Takes the plan from every job, as a restored backup may have it.</summary>
    Task RemovePlansAsync();

    /// <summary>Counts statements from now on, or stops that, where the store can.</summary>
    Task CountStatementsAsync(bool on);

    /// <summary>What the statements of each group have done while they were counted; nothing where the store does not count them.</summary>
    Task<IReadOnlyList<StatementCount>> StatementsAsync();

    /// <summary>How many sessions were opened so far, without the one that asks; not a number where the store does not count
    /// them.</summary>
    Task<double> SessionsAsync();

    /// <summary>Holds an old snapshot until disposed.</summary>
    Task<IAsyncDisposable> HoldSnapshotAsync();
}

/// <summary>What to store.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Count">How many.</param>
internal sealed record FillSpec(string Queue, int Count)
{
    public string Kind { get; init; } = "benchmark";

    public int ArgsBytes { get; init; } = 100;

    /// <summary>For the future only.</summary>
    public bool Later { get; init; }

    /// <summary>As history: ended already.</summary>
    public bool Ended { get; init; }

    /// <summary>With <see cref="Ended"/>: failed.</summary>
    public bool Failed { get; init; }

    /// <summary>Claimed by a node, in claims of ten.</summary>
    public bool Running { get; init; }

    /// <summary>As a service leaves them behind: stored over a week, run by fifty nodes, failed for a reason, with metadata on every tenth
    /// entry, and counted by the hour for 90 days and by the minute for a day.</summary>
    public bool Lived { get; init; }
}

/// <summary>Counters of the server; what a store does not count is not a number, and not shown.</summary>
internal sealed record StoreCost(
    double LogBytes, double Commits, double Statements, double Claims, double CpuMilliseconds, double Connections)
{
    /// <summary>The transactions of the server that wrote something. Exact at once: a session reports what it has committed once a second
    /// at most.</summary>
    public double Writes { get; init; } = double.NaN;
}

/// <summary>Counters of statements that do the same.</summary>
/// <param name="Group">What they do.</param>
/// <param name="Calls">How often they ran.</param>
/// <param name="Rows">How many rows they returned or wrote.</param>
/// <param name="Milliseconds">How long they ran, without planning.</param>
internal sealed record StatementCount(string Group, double Calls, double Rows, double Milliseconds);

/// <summary>Runs work in a transaction of the caller's own.</summary>
internal interface ITransactions
{
    Task RunAsync(Func<DbTransaction, Task> work);
}

/// <summary>Claims and finishes in a loop without the engine, until nothing is left.</summary>
internal interface IDrainFloor : IAsyncDisposable
{
    Task OpenAsync();

    Task DrainAsync(string queue, Action<int> done);
}

/// <summary>Stores entries in a loop without the engine, for some seconds or up to a count.</summary>
internal interface IEnqueueFloor : IAsyncDisposable
{
    Task OpenAsync();

    Task EnqueueAsync(string queue, double seconds, int count, Action<int> done);
}
