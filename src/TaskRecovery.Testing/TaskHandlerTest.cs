using TaskRecovery.Testing.Crashes;
using TaskRecovery.Testing.Runs;

namespace TaskRecovery.Testing;

/// <summary>Runs a task handler of a job without a host and without a store, as the engine would.</summary>
public static class TaskHandlerTest
{
    /// <summary>Runs a task handler once.</summary>
    /// <remarks>An exception of the handler is not thrown but is the end of the run, as in production: check it with
    /// <see cref="TestRun.ShouldComplete"/> and its siblings.</remarks>
    /// <param name="handler">The handler.</param>
    /// <param name="args">The job's arguments.</param>
    /// <param name="configure">Returns changed options, for example <c>options => options with { DueAt = midnight }</c>.</param>
    /// <param name="cancellationToken">Stops waiting for the handler. The handler's own token is cancelled too.</param>
    /// <exception cref="TestFailedException">The run did not reach the place of a planned stop.</exception>
    public static async Task<TestRun> RunAsync<TArgs>(
        ITaskHandler<TArgs> handler, TArgs args, Func<TaskHandlerTestOptions, TaskHandlerTestOptions>? configure = null,
        CancellationToken cancellationToken = default)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(handler);
        var options = RunOptions.From(configure);
        var entry = EntryUnderTest.Create(args, options);
        var ended = await RunUnderTest.RunAsync(
            entry, new TaskRunner<TArgs>(handler, options, entry.Json), options, crashAt: null, cancellationToken).ConfigureAwait(false);
        return ended.Result!;
    }

    /// <inheritdoc
    /// cref="WorkerTest.CrashEverywhereAsync{TWorld, TArgs}(Func{TWorld}, Func{TWorld, IJobWorker{TArgs}}, TArgs, Func{TWorld, Task},
    /// CrashPlaces, int, Func{WorkerTestOptions, WorkerTestOptions}?, CancellationToken)"/>
    public static Task<CrashReport> CrashEverywhereAsync<TWorld, TArgs>(
        Func<TWorld> world,
        Func<TWorld, ITaskHandler<TArgs>> handler,
        TArgs args,
        Action<TWorld> check,
        CrashPlaces places = CrashPlaces.BetweenSteps,
        int depth = 1,
        Func<TaskHandlerTestOptions, TaskHandlerTestOptions>? configure = null,
        CancellationToken cancellationToken = default)
        where TArgs : notnull
        => CrashEverywhereAsync(world, handler, args, CrashCheck.Of(check), places, depth, configure, cancellationToken);

    /// <inheritdoc
    /// cref="WorkerTest.CrashEverywhereAsync{TWorld, TArgs}(Func{TWorld}, Func{TWorld, IJobWorker{TArgs}}, TArgs, Func{TWorld, Task},
    /// CrashPlaces, int, Func{WorkerTestOptions, WorkerTestOptions}?, CancellationToken)"/>
    public static Task<CrashReport> CrashEverywhereAsync<TWorld, TArgs>(
        Func<TWorld> world,
        Func<TWorld, ITaskHandler<TArgs>> handler,
        TArgs args,
        Func<TWorld, Task> check,
        CrashPlaces places = CrashPlaces.BetweenSteps,
        int depth = 1,
        Func<TaskHandlerTestOptions, TaskHandlerTestOptions>? configure = null,
        CancellationToken cancellationToken = default)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(world);
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(check);
        var options = RunOptions.From(configure);
        var handlers = NewObjects.Handlers("handler");
        var search = new CrashSearch<TWorld>(
            world, (state, entry) => new TaskRunner<TArgs>(handlers.Take(handler(state)), options, entry.Json),
            () => EntryUnderTest.Create(args, options), check, options);
        return search.RunAsync(places, depth, cancellationToken);
    }
}
