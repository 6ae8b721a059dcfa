using System.CommandLine;
using TaskRecovery.Cli.Connections;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>One call of a command.</summary>
internal sealed class CommandCall(ParseResult arguments, Terminal terminal, StoreSession store)
{
    /// <summary>The database.</summary>
    public StoreSession Store { get; } = store;

    /// <summary>The output.</summary>
    public Printer Printer { get; } = new(terminal);

    /// <summary>Whether the data are written as JSON.</summary>
    public required bool AsJson { get; init; }

    /// <summary>Whether the user has agreed on the command line.</summary>
    public required bool SaidYes { get; init; }

    /// <summary>Who does it, and why.</summary>
    public required AuditInfo Audit { get; init; }

    public T? Get<T>(Option<T> option) => arguments.GetValue(option);

    public T? Get<T>(Argument<T> argument) => arguments.GetValue(argument);

    /// <summary>Asks whether to proceed, if the user has not agreed on the command line.</summary>
    public async Task<bool> ConfirmAsync(string question, CancellationToken cancellationToken)
    {
        if (SaidYes)
        {
            return true;
        }

        await terminal.Error.WriteAsync(CleanText.OneLine($"{question} [y/N] ").AsMemory(), cancellationToken).ConfigureAwait(false);
        var answer = await terminal.In.ReadLineAsync(cancellationToken).ConfigureAwait(false);
        if (answer?.Trim() is { } text
            && (text.Equals("y", StringComparison.OrdinalIgnoreCase) || text.Equals("yes", StringComparison.OrdinalIgnoreCase)))
        {
            return true;
        }

        Printer.Note("Nothing was done.");
        return false;
    }
}
