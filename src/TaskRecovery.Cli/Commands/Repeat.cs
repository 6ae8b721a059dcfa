using TaskRecovery.Cli.Errors;

namespace TaskRecovery.Cli.Commands;

/// <summary>Repeats a question until the user interrupts the command, or its time limit has passed.</summary>
internal static class Repeat
{
    /// <summary>Asks, waits, and asks again.</summary>
    /// <param name="call">The call of the command.</param>
    /// <param name="ask">Asks once, and writes the answer.</param>
    /// <param name="wait">Waits. Returns <see langword="false"/> to end.</param>
    /// <param name="report">Reports that the database could not answer. The first answer has to be there: its failure ends the
    /// command.</param>
    /// <param name="cancellationToken">Cancelled by the user, or at the time limit.</param>
    public static async Task<int> RunAsync(
        CommandCall call,
        Func<CancellationToken, Task> ask,
        Func<CancellationToken, Task<bool>> wait,
        Action<string> report,
        CancellationToken cancellationToken)
    {
        await ask(cancellationToken).ConfigureAwait(false);
        try
        {
            while (await wait(cancellationToken).ConfigureAwait(false))
            {
                try
                {
                    await ask(cancellationToken).ConfigureAwait(false);
                }
                catch (Exception exception) when (Failure.IsNotReachable(exception))
                {
                    report(exception.Message);
                }
            }

            return ExitCodes.Done;
        }
        catch (OperationCanceledException) when (call.HasTimedOut())
        {
            return ExitCodes.Done;
        }
    }

    /// <summary>As above, with a fixed interval. Failures are notes.</summary>
    public static Task<int> RunAsync(
        CommandCall call, TimeSpan interval, Func<CancellationToken, Task> ask, CancellationToken cancellationToken)
        => RunAsync(
            call,
            ask,
            async token =>
            {
                await Task.Delay(interval, TimeProvider.System, token).ConfigureAwait(false);
                return true;
            },
            call.Printer.Note,
            cancellationToken);
}
