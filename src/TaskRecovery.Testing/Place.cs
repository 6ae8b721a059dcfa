using System.Globalization;
using TaskRecovery.Workers;

namespace TaskRecovery.Testing;

/// <summary>A place in a run: between two calls of the library, or at the edge of one. A test can crash, kill or cancel a run
/// there.</summary>
public readonly record struct Place
{
    private Place(RunPlace kind, string? step, int number = 0)
    {
        Kind = kind;
        Step = step;
        Number = number;
    }

    /// <summary>The handler is about to be called.</summary>
    public static Place Start => new(RunPlace.Start, null);

    /// <summary>The handler has returned, and the outcome is not stored yet.</summary>
    public static Place End => new(RunPlace.End, null);

    /// <summary>The handler has thrown an exception, and the outcome is not stored yet.</summary>
    public static Place AfterException => new(RunPlace.Thrown, null);

    /// <summary>The worker has called <see cref="WorkContext.CompleteAsync"/>, and nothing is written yet.</summary>
    public static Place BeforeComplete => new(RunPlace.CompleteBegins, null);

    /// <summary><see cref="WorkContext.CompleteAsync"/> has written the outcome in the worker's transaction, which is not committed
    /// yet.</summary>
    public static Place AfterComplete => new(RunPlace.CompleteWritten, null);

    /// <summary>The kind of place.</summary>
    internal RunPlace Kind { get; }

    /// <summary>The name of the step; <see langword="null"/> if the place belongs to none.</summary>
    internal string? Step { get; }

    /// <summary>Which checkpoint or reset of the run, starting at 1; 0 if the place belongs to none.</summary>
    internal int Number { get; }

    /// <summary>The step's delegate is about to be called. A token that is cancelled here is cancelled when the delegate begins.</summary>
    /// <param name="name">The name of the step.</param>
    public static Place InStep(string name) => OfStep(RunPlace.StepBegins, name);

    /// <summary>The step's delegate has returned, and its result is not stored yet. After a crash here the step runs again, so its effect
    /// has to be idempotent.</summary>
    /// <param name="name">The name of the step.</param>
    public static Place AtEndOfStep(string name) => OfStep(RunPlace.StepReturned, name);

    /// <summary>The step's result is stored.</summary>
    /// <param name="name">The name of the step.</param>
    public static Place AfterStep(string name) => OfStep(RunPlace.StepStored, name);

    /// <summary>A checkpoint is about to be stored.</summary>
    /// <param name="number">Which checkpoint of the run, starting at 1.</param>
    public static Place BeforeCheckpoint(int number = 1) => Numbered(RunPlace.CheckpointBegins, number);

    /// <summary>A checkpoint is stored.</summary>
    /// <param name="number">Which checkpoint of the run, starting at 1.</param>
    public static Place AfterCheckpoint(int number = 1) => Numbered(RunPlace.CheckpointStored, number);

    /// <summary>The steps and the checkpoint are about to be removed by <see cref="WorkContext.ResetStepsAsync"/>.</summary>
    /// <param name="number">Which reset of the run, starting at 1.</param>
    public static Place BeforeReset(int number = 1) => Numbered(RunPlace.ResetBegins, number);

    /// <summary>The steps and the checkpoint have been removed by <see cref="WorkContext.ResetStepsAsync"/>.</summary>
    /// <param name="number">Which reset of the run, starting at 1.</param>
    public static Place AfterReset(int number = 1) => Numbered(RunPlace.ResetStored, number);

    /// <summary>Describes the place, for example <c>after step 'render'</c>.</summary>
    public override string ToString() => Kind switch
    {
        RunPlace.Start => "at the start of the handler",
        RunPlace.StepBegins => $"in step '{Step}'",
        RunPlace.StepReturned => $"at the end of step '{Step}', before its result is stored",
        RunPlace.StepStored => $"after step '{Step}'",
        RunPlace.CheckpointBegins => $"before checkpoint {Text(Number)}",
        RunPlace.CheckpointStored => $"after checkpoint {Text(Number)}",
        RunPlace.ResetBegins => $"before reset {Text(Number)} of the steps",
        RunPlace.ResetStored => $"after reset {Text(Number)} of the steps",
        RunPlace.CompleteBegins => "before the outcome is written in the worker's transaction",
        RunPlace.CompleteWritten => "after the outcome is written in the worker's transaction",
        RunPlace.End => "at the end of the handler",
        RunPlace.Thrown => "after the handler's exception",
        _ => $"{Kind} '{Step}'",
    };

    internal static Place Of(RunPlace kind, string? step, int number) => new(kind, step, number);

    private static Place OfStep(RunPlace kind, string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return new Place(kind, name);
    }

    private static Place Numbered(RunPlace kind, int number)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(number, 1);
        return new Place(kind, null, number);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
