namespace TaskRecovery.Cli.Errors;

/// <summary>Ends a command with an exit code and one line for the user.</summary>
internal sealed class CommandException(int exitCode, string message) : Exception(message)
{
    /// <summary>The exit code of the process.</summary>
    public int ExitCode { get; } = exitCode;

    /// <summary>A mistake on the command line.</summary>
    public static CommandException Usage(string message) => new(ExitCodes.Usage, message);
}
