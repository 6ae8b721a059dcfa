using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>show</c>: everything that is known of one entry.</summary>
internal static class ShowCommand
{
    public static Command Create(CommandFrame frame)
    {
        var id = new Argument<string>("ID") { Description = "The id of the entry." };
        var log = new Option<bool>("--log") { Description = "Show the log lines that were kept of its runs too." };
        return frame.Reads(
            new Command("show", "Shows an entry: its runs, steps, arguments, result, errors and events.") { id, log },
            async (call, cancellationToken) =>
            {
                var entry = Values.Id(call.Get(id)!);
                var life = await call.Store.Monitor.GetLifeAsync(entry, cancellationToken: cancellationToken).ConfigureAwait(false)
                    ?? throw new CommandException(
                        ExitCodes.NotFound, $"There is no entry {Format.Number(entry)}: it never existed, or retention has removed it.");
                var lines = call.Get(log) ? await call.Store.Monitor.ListLogAsync(entry, cancellationToken).ConfigureAwait(false) : null;
                if (call.AsJson)
                {
                    call.Json(new LifeResult(life, lines));
                }
                else
                {
                    LifeText.Write(call.Printer, life, lines);
                }

                return ExitCodes.Done;
            });
    }
}
