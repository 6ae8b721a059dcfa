using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;
using TaskRecovery.Cli.Web;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>dashboard</c>: the pages of the dashboard, for the browser of this user.</summary>
internal static class DashboardCommand
{
    public static Command Create(CommandFrame frame)
    {
        var operate =
            new Option<bool>("--operate") { Description = "Let the pages change something: retry, cancel, pause, resume, run, delete." };
        var command = new Command("dashboard", "Serves the dashboard on 127.0.0.1 until Ctrl-C, and writes a link that can be opened once. "
            + "Read-only without --operate.") { operate };
        frame.AddActor(command);
        return frame.Reads(command, async (call, cancellationToken) =>
        {
            if (call.Get(operate))
            {
                frame.RequireNotReadOnly("dashboard --operate");
            }

            var site = await DashboardSite.StartAsync(
                call.Store, call.Audit.Actor, call.Get(operate), call.Printer.Note, cancellationToken).ConfigureAwait(false);
            await using (site.ConfigureAwait(false))
            {
                if (call.AsJson)
                {
                    call.Json(new DashboardResult(site.Link));
                }
                else
                {
                    call.Printer.Line(site.Link);
                }

                call.Printer.Note($"The dashboard of {call.Store.Where}. Open the link in a browser; it works once. Ctrl-C ends.");
                return await WaitAsync(call, cancellationToken).ConfigureAwait(false);
            }
        });
    }

    private static async Task<int> WaitAsync(CommandCall call, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken).ConfigureAwait(false);
            return ExitCodes.Done;
        }
        catch (OperationCanceledException) when (call.HasTimedOut())
        {
            return ExitCodes.Done;
        }
    }
}
