using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Storage;
using TaskRecovery.Testing.Hosts;

namespace TaskRecovery.Testing;

/// <summary>An application under test: runs its entries, moves its time, kills its node, and shows what it has enqueued.</summary>
/// <remarks>Get it with <c>app.Services.GetTaskRecoveryTest()</c>. When the host is disposed, the queue's invariant (every entry is in
/// exactly one place) is checked, unless the database can't be used.</remarks>
public sealed partial class TaskRecoveryTest : IAsyncDisposable, IDisposable
{
    private readonly TestEngine _engine;
    private readonly IQueueStore _store;
    private readonly TestClock _clock;
    private readonly TestEntries _entries;
    private readonly UnservedEntries _unserved;
    private readonly TestTables? _tables;
    private readonly LastError _lastError;
    private readonly bool _movesTime;
    private readonly bool _allowsUnserved;
    private bool _isDisposed;

    internal TaskRecoveryTest(
        TestEngine engine, IQueueStore store, TestClock clock, TestEntries entries, UnservedEntries unserved,
        TestTables? tables, TaskRecoveryTestingOptions options, LastError lastError)
    {
        _engine = engine;
        _store = store;
        _clock = clock;
        _entries = entries;
        _unserved = unserved;
        _tables = tables;
        _lastError = lastError;
        _movesTime = options.Store == TestStore.Sqlite;
        _allowsUnserved = options.AllowUnserved;
    }

    /// <summary>The time of the queue, by which entries become due.</summary>
    public DateTimeOffset Now => _clock.GetUtcNow();

    /// <summary>Runs all entries that are due, and those that they enqueue, until nothing is due and nothing runs.</summary>
    /// <param name="options">What to run; <see langword="null"/> for everything, one after the other.</param>
    /// <param name="cancellationToken">Stops waiting for a run.</param>
    /// <exception cref="DrainException">A run failed, a run does not end, the entries never end, or entries are due that the application
    /// can't run.</exception>
    /// <exception cref="InvalidOperationException"><see cref="DrainOptions.IncludeRetries"/> is set, and the time can't be
    /// moved.</exception>
    public async Task<DrainResult> DrainAsync(DrainOptions? options = null, CancellationToken cancellationToken = default)
    {
        var checkedOptions = Check(options);
        var runs = await _engine.DrainAsync(checkedOptions, cancellationToken).ConfigureAwait(false);
        Drains.ThrowIfFailed(runs, checkedOptions);
        var unserved = await _unserved.FindAsync(checkedOptions, cancellationToken).ConfigureAwait(false);
        if (!_allowsUnserved && !checkedOptions.AllowUnserved)
        {
            Drains.ThrowIfUnserved(unserved);
        }

        return new DrainResult(runs) { Unserved = unserved };
    }

    /// <summary>Moves the time from one due time to the next, and drains at each: schedules, retries, snoozed and delayed entries run in
    /// the order in which they are due.</summary>
    /// <param name="by">How far to move the time; zero or more.</param>
    /// <param name="options">What to run; <see langword="null"/> for everything, one after the other.</param>
    /// <param name="cancellationToken">Stops waiting for a run.</param>
    /// <returns>All runs.</returns>
    /// <exception cref="DrainException">A run failed, a run does not end, the entries never end, or entries are due that the application
    /// can't run. The time stays at the drain that failed.</exception>
    /// <exception cref="InvalidOperationException">The time can't be moved.</exception>
    public async Task<DrainResult> AdvanceAsync(TimeSpan by, DrainOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        var checkedOptions = Check(options);
        var until = Now + by;
        var runs = new List<DrainedRun>();
        while (true)
        {
            var drained = await DrainAsync(
                checkedOptions with { Limit = checkedOptions.Limit - runs.Count }, cancellationToken).ConfigureAwait(false);
            runs.AddRange(drained.Runs);
            if (Now >= until)
            {
                return drained with { Runs = runs };
            }

            var next = await _engine.FindNextDueAsync(checkedOptions, cancellationToken).ConfigureAwait(false);
            MoveTime(next is { } wait && wait < until - Now ? wait : until - Now);
        }
    }

    /// <summary>Runs what is due until a run reaches a place, and kills the node there: no catch, finally or dispose of its handlers runs,
    /// and nothing more of them is stored. The next drain starts a new node, which recovers the entries.</summary>
    /// <param name="at">The place, for example <c>Place.AfterStep("render")</c>; <see langword="null"/> to kill an idle node.</param>
    /// <param name="options">What to run until then, for example only the <see cref="DrainOptions.Kinds"/> of which one is to reach the
    /// place; <see langword="null"/> for everything, one after the other.</param>
    /// <param name="cancellationToken">Stops waiting for a run.</param>
    /// <returns>The run that has reached the place; <see langword="null"/> if no place was given.</returns>
    /// <exception cref="TestFailedException">No run reached the place.</exception>
    /// <exception cref="DrainException">The node was killed, and a run before that had failed. Or a run does not end, or the entries never
    /// end.</exception>
    /// <exception cref="InvalidOperationException">Entries run in the background.</exception>
    public Task<KilledRun?> KillNodeAsync(Place? at = null, DrainOptions? options = null, CancellationToken cancellationToken = default)
        => _engine.KillAsync(at, Check(options), cancellationToken);

    /// <summary>Stops the node and starts another one, as a deploy does: jobs declared in code are stored again, and what is unfinished is
    /// recovered.</summary>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="InvalidOperationException">Entries run in the background.</exception>
    public Task RestartAsync(CancellationToken cancellationToken = default) => _engine.RestartAsync(cancellationToken);

    /// <summary>Removes everything that earlier tests have left, if several tests share a host: stops the node, removes all entries, jobs
    /// and tasks, returns to the present, and starts another node, so that jobs declared in code are stored again.</summary>
    /// <remarks>Entries get new ids. A clock of the test's own, such as a <c>FakeTimeProvider</c>, stays as it is. What the application
    /// itself keeps, in memory or in its database, is not reset.</remarks>
    /// <param name="cancellationToken">Cancels the reset.</param>
    /// <exception cref="InvalidOperationException">Entries run in the background, or the store is the application's own.</exception>
    public Task ResetAsync(CancellationToken cancellationToken = default)
        => _tables is { } tables
            ? _engine.ResetAsync(tables.EmptyAsync, cancellationToken)
            : throw new InvalidOperationException(
                $"{nameof(TaskRecoveryTestingOptions)}.{nameof(TaskRecoveryTestingOptions.Store)} is {nameof(TestStore.Keep)}, "
                + $"and {nameof(ResetAsync)} removes nothing from the application's own store. Give each test a host and a schema.");

    /// <summary>Checks the queue's invariant. The host throws a <see cref="TestFailedException"/> at the end of its disposal if it is
    /// violated.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        try
        {
            _engine.Stop();
            await CheckInvariantsAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is StoreUnavailableException or StoreConfigurationException)
        {
            // There is nothing to check. If the start has failed because of that, its error must not be replaced by this one.
        }
        catch (Exception exception)
        {
            _lastError.Set(exception);
        }
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    [SuppressMessage("Usage", "MA0015", Justification = "The value is a property of the parameter.")]
    private DrainOptions Check(DrainOptions? options)
    {
        options ??= new DrainOptions();
        if (options.Concurrency is < 1 or > 1_000)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), options.Concurrency,
                $"{nameof(DrainOptions)}.{nameof(DrainOptions.Concurrency)} is {options.Concurrency}: use 1 to 1,000.");
        }

        if (options.Timeout <= TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), options.Timeout,
                $"{nameof(DrainOptions)}.{nameof(DrainOptions.Timeout)} is {options.Timeout}: use more than zero.");
        }

        if (options.IncludeRetries)
        {
            ThrowIfTimeStays();
        }

        return options.Limit < 1
            ? throw new ArgumentOutOfRangeException(
                nameof(options), options.Limit, $"{nameof(DrainOptions)}.{nameof(DrainOptions.Limit)} is {options.Limit}: use 1 or more.")
            : options;
    }

    private void ThrowIfTimeStays()
    {
        if (!_movesTime)
        {
            throw new InvalidOperationException(
                $"{nameof(TaskRecoveryTestingOptions)}.{nameof(TaskRecoveryTestingOptions.Store)} is {nameof(TestStore.Keep)}, "
                + $"so the time of the queue is the database's and can't be moved. Use {nameof(TestStore.Sqlite)} for this test.");
        }
    }

    private void MoveTime(TimeSpan by)
    {
        ThrowIfTimeStays();
        _clock.Advance(by);
        _engine.TimeAdvanced();
    }

    private async Task CheckInvariantsAsync()
    {
        if (await _store.CheckInvariantsAsync(CancellationToken.None).ConfigureAwait(false) is { Count: > 0 } violations)
        {
            throw new TestFailedException("The invariant of the queue is violated. Please report this as a bug of "
                + $"TaskRecovery.\n  {string.Join("\n  ", violations)}");
        }
    }
}
