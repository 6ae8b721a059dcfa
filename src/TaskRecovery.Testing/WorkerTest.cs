using TaskRecovery.Testing.Crashes;
using TaskRecovery.Testing.Runs;

namespace TaskRecovery.Testing;

/// <summary>Runs a worker without a host and without a store, as the engine would.</summary>
public static class WorkerTest
{
    /// <summary>Runs a worker once.</summary>
    /// <remarks>Arguments, steps, checkpoint and result are written as JSON and read back, as with a store. An exception of the worker is
    /// not thrown but is the end of the run, as in production: check it with <see cref="TestRun.ShouldComplete"/> and its
    /// siblings.</remarks>
    /// <param name="worker">The worker.</param>
    /// <param name="args">The arguments.</param>
    /// <param name="configure">Returns changed options, for example <c>options => options with { Attempt = 3, MaxAttempts = 3
    /// }</c>.</param>
    /// <param name="cancellationToken">Stops waiting for the worker. The worker's own token is cancelled too.</param>
    /// <exception cref="TestFailedException">The run did not reach the place of a planned stop.</exception>
    public static async Task<TestRun> RunAsync<TArgs>(
        IJobWorker<TArgs> worker, TArgs args, Func<WorkerTestOptions, WorkerTestOptions>? configure = null,
        CancellationToken cancellationToken = default)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(worker);
        var options = RunOptions.From(configure);
        var entry = EntryUnderTest.Create(args, options);
        var ended = await RunUnderTest.RunAsync(entry, new InstanceRunner<TArgs>(
            worker, options.Middleware, entry.Json), options, crashAt: null, cancellationToken).ConfigureAwait(false);
        return ended.Result!;
    }

    /// <inheritdoc cref="CrashEverywhereAsync{TWorld, TArgs}(Func{TWorld}, Func{TWorld, IJobWorker{TArgs}}, TArgs, Func{TWorld, Task},
    /// CrashPlaces, int, Func{WorkerTestOptions, WorkerTestOptions}?, CancellationToken)"/>
    public static Task<CrashReport> CrashEverywhereAsync<TWorld, TArgs>(
        Func<TWorld> world,
        Func<TWorld, IJobWorker<TArgs>> worker,
        TArgs args,
        Action<TWorld> check,
        CrashPlaces places = CrashPlaces.BetweenSteps,
        int depth = 1,
        Func<WorkerTestOptions, WorkerTestOptions>? configure = null,
        CancellationToken cancellationToken = default)
        where TArgs : notnull
        => CrashEverywhereAsync(world, worker, args, CrashCheck.Of(check), places, depth, configure, cancellationToken);

    /// <summary>Crashes a worker at every place between its calls of the library, one after the other, and checks each time that the
    /// entry ends as it does without a crash.</summary>
    /// <remarks>
    /// <para>It covers the places between the library's calls, not the middle of the worker's own I/O: whether a half-sent request or a
    /// half-written file is safe, it can't say.</para>
    /// <para>A crash never resumes the worker: no catch, finally or dispose runs, as in a killed process. Then a new worker runs the same
    /// entry with one crash more, the stored steps and the stored checkpoint, until the entry has ended. One run without a crash records
    /// the places; each place then gets a world of its own.</para>
    /// </remarks>
    /// <typeparam name="TWorld">What survives a crash: the application's database, files and remote systems, or fakes of them.</typeparam>
    /// <typeparam name="TArgs">The arguments type of the kind.</typeparam>
    /// <param name="world">Creates a new world. Must not return an object twice: if all crashes share a database, empty it and return a
    /// new object around it.</param>
    /// <param name="worker">Creates a worker that uses a world. Called once for every run, because nothing in the process survives a
    /// crash. Must not return an object twice.</param>
    /// <param name="args">The arguments of the entry.</param>
    /// <param name="check">Checks a world after the entry has ended; throws if it is wrong. Also called once without a crash.</param>
    /// <param name="places">Where to crash.</param>
    /// <param name="depth">How many crashes an entry survives: 2 also tries every pair of places. 1 to 3.</param>
    /// <param name="configure">Returns changed options.</param>
    /// <param name="cancellationToken">Ends the test between two runs, and stops waiting for a worker.</param>
    /// <returns>The crashes that were tried.</returns>
    /// <exception cref="TestFailedException">The check failed, or the entry did not end as
    /// <see cref="WorkerTestOptions.ExpectedEnd"/>, after a crash or without one. The message names the place and shows the
    /// runs.</exception>
    /// <exception cref="InvalidOperationException">A world or a worker was returned twice.</exception>
    public static Task<CrashReport> CrashEverywhereAsync<TWorld, TArgs>(
        Func<TWorld> world,
        Func<TWorld, IJobWorker<TArgs>> worker,
        TArgs args,
        Func<TWorld, Task> check,
        CrashPlaces places = CrashPlaces.BetweenSteps,
        int depth = 1,
        Func<WorkerTestOptions, WorkerTestOptions>? configure = null,
        CancellationToken cancellationToken = default)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(world);
        ArgumentNullException.ThrowIfNull(worker);
        ArgumentNullException.ThrowIfNull(check);
        var options = RunOptions.From(configure);
        var workers = NewObjects.Handlers("worker");
        var search = new CrashSearch<TWorld>(
            world, (state, entry) => new InstanceRunner<TArgs>(workers.Take(worker(state)), options.Middleware, entry.Json),
            () => EntryUnderTest.Create(args, options), check, options);
        return search.RunAsync(places, depth, cancellationToken);
    }
}
