using System.CommandLine;
using TaskRecovery.Cli.Errors;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>top</c>: a live screen.</summary>
internal static class TopCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan KeyInterval = TimeSpan.FromMilliseconds(50);

    public static Command Create(CommandFrame frame)
    {
        var interval = new Option<string?>("--interval") { Description = "The time between two updates, such as 10s. Default: 2s." };
        var command = new Command(
            "top", "Shows the queues, nodes, running entries and events on a live screen. Press q to quit, space to update.") { interval };
        return frame.Reads(command, (call, cancellationToken) =>
        {
            var time = Values.Wait("--interval", call.Get(interval)) ?? Interval;
            return call.Terminal is { IsRich: true, CanAsk: true } && !call.AsJson
                ? RunAsync(call, time, cancellationToken)
                : throw CommandException.Usage(
                    "'top' needs a terminal: use 'status --watch', 'events --follow' or --jsonl with one of them.");
        });
    }

    private static async Task<int> RunAsync(CommandCall call, TimeSpan interval, CancellationToken cancellationToken)
    {
        var view = await TopView.ReadAsync(call.Store, cancellationToken).ConfigureAwait(false);
        using var screen = call.Printer.UseOtherScreen();
        return await Repeat.RunAsync(
            call,
            async token =>
            {
                view = await TopView.ReadAsync(call.Store, token).ConfigureAwait(false);
                call.Printer.Screen(view.Parts(problem: null));
            },
            token => WaitAsync(call, interval, token),
            problem => call.Printer.Screen(view.Parts(problem)),
            cancellationToken).ConfigureAwait(false);
    }

    // A console has no way to wait for a key and for something else.
    private static async Task<bool> WaitAsync(CommandCall call, TimeSpan interval, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(began) < interval)
        {
            switch (call.Terminal.PressedKey())
            {
                case 'q' or 'Q':
                    return false;
                case ' ':
                    return true;
                default:
                    await Task.Delay(KeyInterval, TimeProvider.System, cancellationToken).ConfigureAwait(false);
                    break;
            }
        }

        return true;
    }
}
