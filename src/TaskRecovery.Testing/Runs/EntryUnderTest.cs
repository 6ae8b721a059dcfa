using System.Text;
using TaskRecovery.Kinds;
using TaskRecovery.Queue;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Testing.Runs;

/// <summary>One entry over its runs: its attempts and crashes, and the progress that its runs have stored.</summary>
internal sealed class EntryUnderTest
{
    private readonly WorkerTestOptions _options;
    private readonly byte[] _args;
    private readonly DateTimeOffset _createdAt;

    private EntryUnderTest(WorkerTestOptions options, string kind, byte[] args, EntryJson json)
    {
        _options = options;
        _args = args;
        _createdAt = options.CreatedAt ?? options.Time.GetUtcNow();
        Kind = kind;
        Json = json;
        Attempt = options.Attempt;
        Crashes = options.Crashes;
        Fence = options.Fence;
        Store = new MemoryStore(
            options.Transaction,
            options.Steps.ToDictionary(
                static step => step.Key, step => Write(json, step.Value, $"The result of step '{step.Key}'"), StringComparer.Ordinal),
            options.Checkpoint is null ? null : Write(json, options.Checkpoint, "The checkpoint"));
    }

    public string Kind { get; }

    public EntryJson Json { get; }

    public MemoryStore Store { get; }

    public int Attempt { get; private set; }

    public int Crashes { get; private set; }

    public long Fence { get; private set; }

    public bool HasEnded { get; private set; }

    public static EntryUnderTest Create<TArgs>(TArgs args, WorkerTestOptions options)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(args);
        Check(options);
        var json = TestJson.Of(options.Json);
        var kind = options.Kind ?? (typeof(TArgs).IsDefined(typeof(JobKindAttribute), inherit: false)
            ? KindRegistrations.NameOf(typeof(TArgs), null)
            : typeof(TArgs).Name);
        return new EntryUnderTest(options, kind, json.Write(args), json);
    }

    /// <summary>The entry as the next run claims it.</summary>
    public ClaimedEntry Claim() => new()
    {
        Id = _options.EntryId,
        Kind = Kind,
        Priority = 5,
        Args = _args,
        Attempt = Attempt,
        MaxAttempts = _options.MaxAttempts,
        Crashes = Crashes,
        CreatedAt = _createdAt,
        Waited = TimeSpan.Zero,
        Timeout = _options.Timeout,
        Metadata = EntryMetadata.Write(_options.Metadata),
    };

    /// <summary>Records how a run ended, as the store does.</summary>
    public void Ended(RunEnd end)
    {
        Fence++;
        HasEnded = end is RunEnd.Completed or RunEnd.Failed or RunEnd.Cancelled;
        Attempt += end == RunEnd.Retried ? 1 : 0;
        Store.BeginRun();
    }

    /// <summary>Records that a run crashed, as recovery does. If the run has stored progress, this is the first crash again.</summary>
    /// <param name="at">Where it crashed. When a worker has returned, its own transaction has ended.</param>
    public void Crashed(Place at)
    {
        Fence++;
        Crashes = Store.HasProgressOfRun ? 1 : Crashes + 1;
        HasEnded = at == Place.End && Store.IsCommitted;
        Store.BeginRun();
    }

    private static byte[] Write(EntryJson json, object? value, string what)
    {
        try
        {
            return value is null ? "null"u8.ToArray() : json.Write(value, value.GetType());
        }
        catch (NotSupportedException exception)
        {
            throw new ArgumentException(
                $"{what} is a {value!.GetType()}, which can't be stored as JSON: {exception.Message}", nameof(value), exception);
        }
    }

    private static void Check(WorkerTestOptions options)
    {
        if (options.Attempt < 1 || options.MaxAttempts < options.Attempt)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), options.Attempt,
                $"{nameof(options.Attempt)} is {options.Attempt} and {nameof(options.MaxAttempts)} is {options.MaxAttempts}: "
                + "use attempts from 1 to the maximum.");
        }

        if (options.ExpectedEnd is not (RunEnd.Completed or RunEnd.Failed or RunEnd.Cancelled))
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), options.ExpectedEnd,
                $"{nameof(options.ExpectedEnd)} is {options.ExpectedEnd}: an entry ends as {RunEnd.Completed}, {RunEnd.Failed} or "
                + $"{RunEnd.Cancelled}.");
        }

        if (options.Crashes < 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), options.Crashes, $"{nameof(options.Crashes)} is {options.Crashes}: use zero or more.");
        }
    }
}
