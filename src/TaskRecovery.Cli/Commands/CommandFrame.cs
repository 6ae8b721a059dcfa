using System.CommandLine;
using TaskRecovery.Cli.Connections;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>What all commands have in common: the global options, the connection, and the rules for writes.</summary>
internal sealed class CommandFrame(Terminal terminal)
{
    private const string ReadOnlyVariable = "TASKRECOVERY_READONLY";

    private readonly ConnectionOptions _connection = new(terminal);

    private readonly Option<string?> _schema = new("--schema")
    {
        Description = "The schema of the tables in PostgreSQL. Default: taskrecovery.",
        Recursive = true,
    };

    private readonly Option<bool> _json = new("--json") { Description = "Write the data as JSON.", Recursive = true };

    private readonly Option<bool> _jsonl = new("--jsonl")
    {
        Description = "Write the data as JSON, each item of a list on a line of its own.",
        Recursive = true,
    };

    private readonly Option<string?> _timeout = new("--timeout")
    {
        Description = "The most time that the command may take, such as 10s. Default: no limit.",
        Recursive = true,
    };

    private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Do not ask. Required where there is no terminal to ask." };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Change nothing: describe what would be done." };
    private readonly Option<string?> _actor =
        new("--actor") { Description = "Who does it, for the record of events. Default: the user of this process." };
    private readonly Option<string?> _reason = new("--reason") { Description = "Why it is done, for the record of events." };

    /// <summary>Adds the options of every command.</summary>
    public void AddGlobalOptions(RootCommand root)
    {
        _connection.AddTo(root);
        foreach (var option in (Option[])[_schema, _json, _jsonl, _timeout])
        {
            root.Options.Add(option);
        }
    }

    /// <summary>The connection string that is in use, whose password is removed from messages.</summary>
    public string? ConnectionOf(ParseResult parsed) => _connection.InUse(parsed);

    /// <summary>Makes a command that reads.</summary>
    /// <param name="command">The command.</param>
    /// <param name="run">Runs it.</param>
    /// <param name="needsTables">Whether the tables have to exist.</param>
    public Command Reads(Command command, Func<CommandCall, CancellationToken, Task<int>> run, bool needsTables = true)
    {
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, isWrite: false, needsTables, run, cancellationToken));
        return command;
    }

    /// <summary>Makes a command that changes something, if it may and if the user agrees.</summary>
    /// <param name="command">The command.</param>
    /// <param name="run">Runs it.</param>
    /// <param name="needsTables">Whether the tables have to exist.</param>
    /// <param name="onlyReads">Whether this call changes nothing.</param>
    /// <param name="configure">Sets options of the library.</param>
    /// <param name="needsYes">Whether the command is a dry run without <c>--yes</c>, instead of asking.</param>
    public Command Writes(
        Command command,
        Func<CommandCall, CancellationToken, Task<int>> run,
        bool needsTables = true,
        Func<ParseResult, bool>? onlyReads = null,
        Action<ParseResult, TaskRecoveryOptions>? configure = null,
        bool needsYes = false)
    {
        AddActor(command);
        foreach (var option in (Option[])[_yes, _dryRun, _reason])
        {
            command.Options.Add(option);
        }

        command.SetAction((parsed, cancellationToken) =>
            RunAsync(parsed, onlyReads?.Invoke(parsed) != true, needsTables, run, cancellationToken, configure, needsYes));
        return command;
    }

    /// <summary>Adds the option that names who acts.</summary>
    public void AddActor(Command command) => command.Options.Add(_actor);

    /// <summary>Throws if the environment forbids changes.</summary>
    public void RequireNotReadOnly(string name)
    {
        if (terminal.Variable(ReadOnlyVariable) is { Length: > 0 } value
            && value is not "0" && !string.Equals(value, "false", StringComparison.OrdinalIgnoreCase))
        {
            throw CommandException.Usage(
                $"'{name}' changes the database, and {ReadOnlyVariable} is '{value}': nothing was done. "
                + "Remove the variable if you mean it.");
        }
    }

    private async Task<int> RunAsync(
        ParseResult parsed,
        bool isWrite,
        bool needsTables,
        Func<CommandCall, CancellationToken, Task<int>> run,
        CancellationToken cancellationToken,
        Action<ParseResult, TaskRecoveryOptions>? configure = null,
        bool needsYes = false)
    {
        var isDryRun = isWrite && (parsed.GetValue(_dryRun) || (needsYes && !parsed.GetValue(_yes)));
        if (isWrite && !isDryRun)
        {
            RequireWrites(parsed);
        }

        var limit = Values.Wait("--timeout", parsed.GetValue(_timeout)) ?? Timeout.InfiniteTimeSpan;
        using var limited = new CancellationTokenSource(limit, terminal.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limited.Token);
        var store = StoreSession.Create(_connection.Read(parsed), parsed.GetValue(_schema), options => configure?.Invoke(parsed, options));
        await using (store.ConfigureAwait(false))
        {
            try
            {
                if (needsTables)
                {
                    await store.RequireTablesAsync(either.Token).ConfigureAwait(false);
                }

                var call = new CommandCall(parsed, terminal, store)
                {
                    Format = FormatOf(parsed),
                    IsDryRun = isDryRun,
                    SaidYes = isWrite && parsed.GetValue(_yes),
                    Audit = new AuditInfo(Given(_actor) ?? UserName(), Given(_reason)) { Tool = "cli" },
                    HasTimedOut = () => limited.IsCancellationRequested,
                };
                return await run(call, either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (limited.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new CommandException(ExitCodes.NotReachable, $"The command was not done after {Format.Duration(limit)} (--timeout).");
            }
        }

        // Commands that only read do not have these options.
        string? Given(Option<string?> option) => parsed.GetResult(option) is null ? null : parsed.GetValue(option);
    }

    private OutputFormat FormatOf(ParseResult parsed) => (parsed.GetValue(_json), parsed.GetValue(_jsonl)) switch
    {
        (true, true) => throw CommandException.Usage("--json and --jsonl exclude each other: use one of them."),
        (true, false) => OutputFormat.Json,
        (false, true) => OutputFormat.JsonLines,
        _ => OutputFormat.Text,
    };

    private void RequireWrites(ParseResult parsed)
    {
        var name = parsed.CommandResult.Command.Name;
        RequireNotReadOnly(name);
        if (!parsed.GetValue(_yes) && !terminal.CanAsk)
        {
            throw CommandException.Usage($"'{name}' changes the database, and there is no terminal to ask: nothing was done. Add --yes.");
        }
    }

    private static string UserName() => string.IsNullOrWhiteSpace(Environment.UserName) ? "unknown" : Environment.UserName;
}
