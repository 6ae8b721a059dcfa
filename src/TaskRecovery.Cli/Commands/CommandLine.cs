using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using TaskRecovery.Cli.Connections;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>The whole command line.</summary>
internal static class CommandLine
{
    /// <summary>Runs one command and returns the exit code of the process.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, Terminal terminal, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(terminal);
        var frame = new CommandFrame(terminal);
        var parsed = Create(frame).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction)
        {
            var problem = parsed.UnmatchedTokens is [var token, ..]
                ? Unexpected(token)
                : Describe(parsed.Errors[0]);
            Report($"{problem} See 'taskrecovery --help'.");
            return ExitCodes.Usage;
        }

        try
        {
            // With a timeout, the parser's library would end the process while the command still stops what it has begun. The caller
            // handles signals (Interruption).
            var invocation = new InvocationConfiguration
            {
                Output = terminal.Out,
                Error = terminal.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            return await parsed.InvokeAsync(invocation, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (Failure.Of(exception) is { } failure)
        {
            if (failure.Message is { } message)
            {
                Report(message);
            }

            return failure.ExitCode;
        }

        void Report(string message) => new Printer(terminal).Note(
            ConnectionText.Redact(ConnectionText.Redact(message, args), frame.ConnectionOf(parsed)));
    }

    // An argument with '=' is most likely a connection string whose -c was forgotten: it may contain a password.
    private static string Unexpected(string token)
        => token.Contains('=', StringComparison.Ordinal) || ConnectionText.MayHavePassword(token)
            ? "An argument with '=' or '://' is neither a command nor an option here. A connection string needs -c before it."
            : $"'{token}' is neither a command nor an option here.";

    // The message of the parser would name a type of .NET.
    private static string Describe(ParseError error)
        => error.SymbolResult is OptionResult { Option: var option, Tokens: [var token] }
            && Nullable.GetUnderlyingType(option.ValueType) is { } type
            ? $"{option.Name} is '{token.Value}': "
                + $"use {(type == typeof(Guid) ? "the id of a task, as 'taskrecovery tasks' shows it" : "a whole number")}."
            : error.Message;

    /// <summary>All commands.</summary>
    internal static RootCommand Create(CommandFrame frame)
    {
        var root = new RootCommand("Sees and steers a TaskRecovery queue. It works on the database alone and is never a node.");
        frame.AddGlobalOptions(root);
        Command[] commands =
        [
            StatusCommand.Create(frame),
            TopCommand.Create(frame),
            ListCommand.Create(frame),
            ShowCommand.Create(frame),
            JobsCommand.Create(frame),
            TasksCommand.Create(frame),
            NodesCommand.Create(frame),
            QueuesCommand.Create(frame),
            KindsCommand.Create(frame),
            EventsCommand.Create(frame),
            RetryCommand.Create(frame),
            CancelCommand.Create(frame),
            PauseCommand.Create(frame),
            ResumeCommand.Create(frame),
            JobCommand.Create(frame),
            EraseCommand.Create(frame),
            OpsCommand.Create(frame),
            UndoCommand.Create(frame),
            RecoverCommand.Create(frame),
            MigrateCommand.Create(frame),
            BackupCommand.Create(frame),
            ImportCommand.Create(frame),
            CheckCommand.Create(frame),
            DoctorCommand.Create(frame),
            DashboardCommand.Create(frame),
        ];
        foreach (var command in commands)
        {
            root.Subcommands.Add(command);
        }

        return root;
    }
}
