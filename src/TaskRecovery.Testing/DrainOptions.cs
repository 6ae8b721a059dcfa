namespace TaskRecovery.Testing;

/// <summary>What a drain runs, and when it fails.</summary>
public sealed record DrainOptions
{
    /// <summary>The queues whose entries run; <see langword="null"/> for all queues that the application serves.</summary>
    public IReadOnlyCollection<string>? Queues { get; init; }

    /// <summary>The kinds of entries that run; <see langword="null"/> for all kinds with a worker in the application.</summary>
    public IReadOnlyCollection<string>? Kinds { get; init; }

    /// <summary>How many runs a drain may need. More mean that a kind enqueues itself.</summary>
    /// <value>Default: 10,000.</value>
    public int Limit { get; init; } = 10_000;

    /// <summary>Whether runs may fail. Otherwise the drain ends with a <see cref="DrainException"/>.</summary>
    /// <value>Default: <see langword="false"/>.</value>
    public bool AllowFailures { get; init; }

    /// <summary>Whether entries may stay due that the application can't run, because it does not serve their queue or has no worker for
    /// their kind. Otherwise the drain ends with a <see cref="DrainException"/>. Kinds that the application has registered with
    /// <c>AddKind</c>, and so only enqueues, are always allowed. So is everything if the application has no worker at all.</summary>
    /// <value>Default: <see langword="false"/>: <see cref="TaskRecoveryTestingOptions.AllowUnserved"/> decides.</value>
    public bool AllowUnserved { get; init; }

    /// <summary>Whether failed attempts are repeated in the same drain. The time of the queue moves to when each retry is due, so other
    /// entries that are due by then run too. Only an entry without attempts left counts as failed, or one whose retry does not become due,
    /// for example because its queue was paused. Needs a time that can be moved.</summary>
    /// <value>Default: <see langword="false"/>: a failed attempt is a failure.</value>
    public bool IncludeRetries { get; init; }

    /// <summary>How long a drain waits, in real time, although no run ends. Then it fails, and names the entries that still run or whose
    /// outcomes can't be stored. Not applied while a debugger is attached.</summary>
    /// <value>Default: 1 minute. More than zero.</value>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How many entries run at once.</summary>
    /// <value>Default: 1, so that the order of effects is the same in every run of the test. 1 to 1,000.</value>
    public int Concurrency { get; init; } = 1;
}
