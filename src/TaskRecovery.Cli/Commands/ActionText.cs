using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>The result of an action on one thing.</summary>
internal static class ActionText
{
    /// <summary>Writes the result and returns the exit code.</summary>
    /// <param name="call">The call.</param>
    /// <param name="result">The result.</param>
    /// <param name="ifNotFound">What to do if the thing does not exist; <see langword="null"/> if nothing can be done.</param>
    public static int Write(CommandCall call, ActionResult result, string? ifNotFound = null) => Write(call, result, result, ifNotFound);

    /// <summary>As the other one, with a JSON of its own.</summary>
    public static int Write<TJson>(CommandCall call, ActionResult result, TJson json, string? ifNotFound = null)
    {
        if (call.AsJson)
        {
            call.Json(json);
        }
        else if (result.Result == OperatorResult.Done)
        {
            call.Printer.Line($"{result.Action} {result.Subject}: done");
        }

        if (result.Result == OperatorResult.Done)
        {
            return ExitCodes.Done;
        }

        var isMissing = result.Result == OperatorResult.NotFound;
        call.Printer.Note($"{result.Action} {result.Subject}: nothing was changed, because {Describe(result.Result)}."
            + (isMissing && ifNotFound is not null ? $" {ifNotFound}" : ""));
        return isMissing ? ExitCodes.NotFound : ExitCodes.Found;
    }

    /// <summary>Why something was not changed, as a part of a sentence.</summary>
    public static string Describe(OperatorResult result) => result switch
    {
        OperatorResult.NotFound => "it does not exist",
        OperatorResult.NotEnded => "it has not ended",
        OperatorResult.Completed => "it has completed",
        OperatorResult.KeyHeld => "another entry holds its unique key",
        OperatorResult.Erased => "its data were erased",
        OperatorResult.AlreadyEnded => "it has already ended",
        OperatorResult.Changed => "it has changed meanwhile",
        OperatorResult.NotPaused => "it is not paused",
        _ => result.ToString(),
    };
}
