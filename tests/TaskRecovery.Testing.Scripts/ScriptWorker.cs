using System.Globalization;

namespace TaskRecovery.Testing.Scripts;

/// <summary>Runs scripts.</summary>
/// <param name="effect">Records an effect.</param>
/// <param name="crash">Ends the process. In a test without a process it does nothing, because the test crashes the run itself.</param>
public sealed class ScriptWorker(Action<string> effect, Action crash) : IJobWorker<Script>
{
    /// <summary>The name of the step that an operation is.</summary>
    public static string StepName(int operation) => string.Create(CultureInfo.InvariantCulture, $"step {operation}");

    public async Task WorkAsync(WorkContext<Script> context, CancellationToken cancellationToken)
    {
        effect(string.Create(CultureInfo.InvariantCulture, $"attempt {context.Attempt}, crashes {context.Crashes}"));
        foreach (var (number, operation) in context.Args.Operations.Index())
        {
            await RunAsync(context, number, operation, cancellationToken);
        }
    }

    public TimeSpan? NextRetry(WorkContext<Script> context, Exception exception) => TimeSpan.Zero;

    private async Task RunAsync(WorkContext<Script> context, int number, ScriptOperation operation, CancellationToken cancellationToken)
    {
        switch (operation)
        {
            case ScriptOperation.Step:
                effect(await context.StepAsync(StepName(number), _ => Task.FromResult(RunStep(context, number)), cancellationToken));
                break;
            case ScriptOperation.Effect:
                effect(string.Create(CultureInfo.InvariantCulture, $"effect {number}"));
                break;
            case ScriptOperation.Checkpoint:
                var checkpoint = await context.GetCheckpointAsync<int>(cancellationToken) + 1;
                await context.SaveCheckpointAsync(checkpoint, cancellationToken);
                effect(string.Create(CultureInfo.InvariantCulture, $"checkpoint {checkpoint}"));
                break;
            case ScriptOperation.ThrowOnce when context.Attempt == 1:
                throw new InvalidOperationException("in the first attempt");
            case ScriptOperation.Reset when context.Attempt == 2:
                await context.ResetStepsAsync(cancellationToken);
                break;
            case ScriptOperation.Complete:
                context.SetResult(number);
                break;
            case ScriptOperation.Fail:
                context.Fail("by its script");
                break;
            case ScriptOperation.Throw:
                throw new InvalidOperationException("in every attempt");
            case ScriptOperation.Cancel:
                context.Cancel("by its script");
                break;
            default:
                break;
        }
    }

    private string RunStep(WorkContext<Script> context, int number)
    {
        var crashes = context.Crashes == 0 && context.Attempt == 1 && context.Args.CrashIn == number;
        if (crashes && !context.Args.CrashesAfterEffect)
        {
            crash();
        }

        effect(string.Create(CultureInfo.InvariantCulture, $"in step {number}"));
        if (crashes && context.Args.CrashesAfterEffect)
        {
            crash();
        }

        return string.Create(CultureInfo.InvariantCulture, $"result of step {number} in attempt {context.Attempt}");
    }
}
