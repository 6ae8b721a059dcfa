using System.CommandLine;
using TaskRecovery.Cli.Connections;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>What all commands have in common: the global options, the connection, and the rules for writes.</summary>
internal sealed class CommandFrame(Terminal terminal)
{
    private const string ReadOnlyVariable = "TASKRECOVERY_READONLY";

    private readonly Option<string?> _connection = new("--connection", "-c")
    {
        Description = $"The connection string. Default: the environment variable {ConnectionText.Variable}.",
        Recursive = true,
    };

    private readonly Option<string?> _schema =
        new("--schema") { Description = "The schema of the tables in PostgreSQL. Default: taskrecovery.", Recursive = true };
    private readonly Option<bool> _json = new("--json") { Description = "Write the data as JSON.", Recursive = true };
    private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Do not ask. Required where there is no terminal to ask." };
    private readonly Option<string?> _actor =
        new("--actor") { Description = "Who does it, for the record of events. Default: the user of this process." };
    private readonly Option<string?> _reason = new("--reason") { Description = "Why it is done, for the record of events." };

    /// <summary>Adds the options of every command.</summary>
    public void AddGlobalOptions(RootCommand root)
    {
        root.Options.Add(_connection);
        root.Options.Add(_schema);
        root.Options.Add(_json);
    }

    /// <summary>The connection string that is in use.</summary>
    public string? ConnectionOf(ParseResult parsed)
        => parsed.GetResult(_connection) is { Tokens: [var token, ..] } ? token.Value : terminal.Variable(ConnectionText.Variable);

    /// <summary>Makes a command that reads.</summary>
    public Command Reads(Command command, Func<CommandCall, CancellationToken, Task<int>> run)
    {
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, isWrite: false, needsTables: true, run, cancellationToken));
        return command;
    }

    /// <summary>Makes a command that changes something, if it may and if the user agrees.</summary>
    /// <param name="command">The command.</param>
    /// <param name="run">Runs it.</param>
    /// <param name="needsTables">Whether the tables have to exist.</param>
    /// <param name="onlyReads">Whether this call changes nothing.</param>
    public Command Writes(
        Command command, Func<CommandCall, CancellationToken, Task<int>> run,
        bool needsTables = true, Func<ParseResult, bool>? onlyReads = null)
    {
        command.Options.Add(_yes);
        command.Options.Add(_actor);
        command.Options.Add(_reason);
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(parsed, onlyReads?.Invoke(parsed) != true, needsTables, run, cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(
        ParseResult parsed, bool isWrite, bool needsTables,
        Func<CommandCall, CancellationToken, Task<int>> run, CancellationToken cancellationToken)
    {
        if (isWrite)
        {
            RequireWrites(parsed);
        }

        var text = ConnectionOf(parsed);
        if (parsed.GetResult(_connection) is not null && text is not null && ConnectionText.HasPassword(text))
        {
            new Printer(terminal).Note("Other users of this machine can see a password on the command line. "
                + $"Use the environment variable {ConnectionText.Variable}.");
        }

        var store = StoreSession.Create(ConnectionText.Parse(text), parsed.GetValue(_schema));
        await using (store.ConfigureAwait(false))
        {
            if (needsTables)
            {
                await store.RequireTablesAsync(cancellationToken).ConfigureAwait(false);
            }

            var call = new CommandCall(parsed, terminal, store)
            {
                AsJson = parsed.GetValue(_json),
                SaidYes = isWrite && parsed.GetValue(_yes),
                Audit = new AuditInfo(
                    (isWrite ? parsed.GetValue(_actor) : null) ?? UserName(),
                    isWrite ? parsed.GetValue(_reason) : null)
                {
                    Tool = "cli",
                },
            };
            return await run(call, cancellationToken).ConfigureAwait(false);
        }
    }

    private void RequireWrites(ParseResult parsed)
    {
        var name = parsed.CommandResult.Command.Name;
        if (terminal.Variable(ReadOnlyVariable) is { Length: > 0 } value && value is not "0"
            && !string.Equals(value, "false", StringComparison.OrdinalIgnoreCase))
        {
            throw CommandException.Usage($"'{name}' changes the database, and {ReadOnlyVariable} is '{value}': nothing was done. "
                + "Remove the variable if you mean it.");
        }

        if (!parsed.GetValue(_yes) && !terminal.CanAsk)
        {
            throw CommandException.Usage($"'{name}' changes the database, and there is no terminal to ask: nothing was done. Add --yes.");
        }
    }

    private static string UserName() => string.IsNullOrWhiteSpace(Environment.UserName) ? "unknown" : Environment.UserName;
}
