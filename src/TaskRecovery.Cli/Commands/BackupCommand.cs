using System.CommandLine;
using TaskRecovery.Cli.Connections;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>backup</c>: a sound copy of a SQLite file that is in use.</summary>
internal static class BackupCommand
{
    public static Command Create(CommandFrame frame)
    {
        var file = new Argument<string>("FILE") { Description = "The new file. It must not exist." };
        var command = new Command(
            "backup", "Copies the database to a new file while nodes work, with 'vacuum into'. Only for SQLite.") { file };
        return frame.Reads(
            command,
            async (call, cancellationToken) =>
            {
                var result = await call.Store.OpenBackup().CopyAsync(call.Get(file)!, cancellationToken).ConfigureAwait(false);
                if (call.AsJson)
                {
                    call.Json(result);
                }
                else
                {
                    call.Printer.Note(
                        FormattableString.Invariant($"Written to '{result.File}': {result.Bytes:N0} bytes of {call.Store.Where}."));
                }

                return Errors.ExitCodes.Done;
            },
            needsTables: false);
    }
}
