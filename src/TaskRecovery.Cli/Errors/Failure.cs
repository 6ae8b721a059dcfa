using Microsoft.Extensions.Options;

namespace TaskRecovery.Cli.Errors;

/// <summary>What the user is shown of an exception.</summary>
/// <param name="ExitCode">The exit code of the process.</param>
/// <param name="Message">One line; <see langword="null"/> to write nothing.</param>
internal sealed record Failure(int ExitCode, string? Message)
{
    // EPIPE on Linux, macOS and the BSDs.
    private const int BrokenPipe = 32;

    /// <summary>Returns <see langword="null"/> for an exception that is a defect of the tool.</summary>
    public static Failure? Of(Exception exception) => exception switch
    {
        CommandException error => new(error.ExitCode, error.Message),
        OperationCanceledException => new(ExitCodes.Interrupted, "Interrupted."),
        _ when IsNotReachable(exception) => new(ExitCodes.NotReachable, exception.Message),
        ContentRefusedException => new(ExitCodes.Usage, exception.Message),
        TaskRecoveryException or NotSupportedException => new(ExitCodes.NotUsable, exception.Message),
        OptionsValidationException => new(ExitCodes.Usage, exception.Message),
        ArgumentException => new(ExitCodes.Usage, TextOf(exception)),
        IOException { HResult: BrokenPipe } => new(ExitCodes.NoReader, Message: null),
        IOException => new(ExitCodes.NotUsable, $"The output, or a file, can't be read or written: {exception.Message}"),
        _ => null,
    };

    /// <summary>Returns whether the database could not be reached, so that a later attempt may succeed.</summary>
    public static bool IsNotReachable(Exception exception) => exception is StoreUnavailableException or TimeoutException;

    /// <summary>The message of an exception, without the name of a parameter, which means something to a programmer only.</summary>
    public static string TextOf(Exception exception)
        => exception is ArgumentException { ParamName: { } name }
            ? exception.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal)
            : exception.Message;
}
