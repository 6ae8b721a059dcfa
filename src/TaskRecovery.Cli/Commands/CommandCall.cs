using System.CommandLine;
using TaskRecovery.Cli.Connections;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>One call of a command.</summary>
internal sealed class CommandCall(ParseResult arguments, Terminal terminal, StoreSession store)
{
    /// <summary>The database.</summary>
    public StoreSession Store { get; } = store;

    /// <summary>The output.</summary>
    public Printer Printer { get; } = new(terminal);

    /// <summary>The streams of the process.</summary>
    public Terminal Terminal { get; } = terminal;

    /// <summary>How data are written.</summary>
    public required OutputFormat Format { get; init; }

    /// <summary>Whether the data are written as JSON.</summary>
    public bool AsJson => Format != OutputFormat.Text;

    /// <summary>Whether the action is only described.</summary>
    public required bool IsDryRun { get; init; }

    /// <summary>Whether the user has agreed on the command line.</summary>
    public required bool SaidYes { get; init; }

    /// <summary>Who does it, and why.</summary>
    public required AuditInfo Audit { get; init; }

    /// <summary>Whether the time limit of the command line has passed.</summary>
    public required Func<bool> HasTimedOut { get; init; }

    public T? Get<T>(Option<T> option) => arguments.GetValue(option);

    public T? Get<T>(Argument<T> argument) => arguments.GetValue(argument);

    /// <summary>Writes a value as JSON.</summary>
    public void Json<T>(T value) => Printer.Json(value, Format);

    /// <summary>Writes a list as JSON: as one value, or each of its items on a line of its own.</summary>
    public void Json<TList, TItem>(TList list, IReadOnlyList<TItem> items)
    {
        if (Format == OutputFormat.Json)
        {
            Json(list);
            return;
        }

        foreach (var item in items)
        {
            Json(item);
        }
    }

    /// <summary>Asks whether to do something, if the user has not agreed on the command line. In a dry run it is described
    /// instead.</summary>
    /// <param name="what">What to do, beginning with a verb.</param>
    /// <param name="cancellationToken">Cancels the question.</param>
    /// <param name="dueTimes">The due times that a dry run lists.</param>
    /// <returns><see langword="null"/> to proceed; otherwise the exit code of the command.</returns>
    public async Task<int?> AskAsync(
        string what, CancellationToken cancellationToken, IReadOnlyList<DateTimeOffset>? dueTimes = null)
    {
        if (IsDryRun)
        {
            Describe(new DryRunResult(what, DueTimes: dueTimes));
            return ExitCodes.Done;
        }

        if (SaidYes)
        {
            return null;
        }

        await Terminal.Error.WriteAsync(CleanText.OneLine($"{what}? [y/N] ").AsMemory(), cancellationToken).ConfigureAwait(false);

        // A console reads synchronously, whatever the name of the method.
        var answer = await Task.Run(Terminal.In.ReadLine, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (answer?.Trim().ToUpperInvariant() is "Y" or "YES")
        {
            return null;
        }

        Printer.Note("Nothing was done.");
        return ExitCodes.Interrupted;
    }

    /// <summary>Sends one change. If no answer comes, the server may have stored it, and the message says so.</summary>
    public async Task<T> SendAsync<T>(Func<IQueueOperator, ValueTask<T>> change)
    {
        try
        {
            return await change(Store.Operator).ConfigureAwait(false);
        }
        catch (Exception exception) when (
            Store.HasServer && (exception is OperationCanceledException || Failure.IsNotReachable(exception)))
        {
            var why = exception is not OperationCanceledException ? exception.Message
                : HasTimedOut() ? "There was no answer within --timeout." : "Interrupted.";
            throw new CommandException(
                ExitCodes.NotReachable,
                $"{why} It is not known whether this was done: look with 'taskrecovery events --by \"{Audit.Actor}\"' "
                + "before you repeat it.");
        }
    }

    /// <summary>Writes what an action would do.</summary>
    public void Describe(DryRunResult result)
    {
        if (AsJson)
        {
            Json(result);
            return;
        }

        Printer.Line($"would: {result.WouldDo}");
        if (result.Sample is { Count: > 0 } sample)
        {
            Printer.Table(ListCommand.TableOf(sample));
        }

        foreach (var due in result.DueTimes ?? [])
        {
            Printer.Line(Output.Format.Time(due));
        }
    }
}
