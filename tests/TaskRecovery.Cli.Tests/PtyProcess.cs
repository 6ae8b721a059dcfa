using System.Diagnostics;
using System.Text;

namespace TaskRecovery.Cli.Tests;

/// <summary>The tool in a terminal of its own, which <c>script</c> (util-linux) creates.</summary>
internal sealed class PtyProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly StringBuilder _screen = new();
    private readonly Task _reading;
    private bool _hasEnded;
    private TaskCompletionSource _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private PtyProcess(Process process)
    {
        _process = process;
        _reading = ReadAsync();
    }

    /// <summary>Everything that the terminal has received so far.</summary>
    public string Screen
    {
        get
        {
            lock (_screen)
            {
                return _screen.ToString();
            }
        }
    }

    public static PtyProcess Start(string assembly, string[] args, IReadOnlyDictionary<string, string> environment)
    {
        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } path ? path : "dotnet";
        var command = string.Join(
            ' ', ((string[])[host, assembly, .. args]).Select(static word => $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'"));
        var start = new ProcessStartInfo("script")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // A shell that runs the tests in the background lets them ignore Ctrl+C, and a process inherits that.
        var terminal = $"stty rows 40 cols 120; exec env --default-signal=INT {command}";
        foreach (var argument in (string[])["-q", "-e", "-c", terminal, "/dev/null"])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["TERM"] = "xterm-256color";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new PtyProcess(Process.Start(start) ?? throw new InvalidOperationException("'script' did not start."));
    }

    /// <summary>Waits until the terminal has received a text after a position.</summary>
    /// <returns>The position after the text.</returns>
    public async Task<int> WaitForAsync(string text, int from = 0)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            Task grown;
            lock (_screen)
            {
                if (_screen.ToString().IndexOf(text, from, StringComparison.Ordinal) is var at and >= 0)
                {
                    return at + text.Length;
                }

                grown = _hasEnded
                    ? throw new InvalidOperationException($"The tool ended without '{text}'. It wrote:\n{_screen}")
                    : _grown.Task;
            }

            try
            {
                var left = Patience - TimeProvider.System.GetElapsedTime(began);
                await grown.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, TestContext.Current.CancellationToken);
            }
            catch (TimeoutException exception)
            {
                throw new TimeoutException($"The tool did not write '{text}'. It wrote:\n{Screen}", exception);
            }
        }
    }

    /// <summary>Types on the keyboard of the terminal.</summary>
    public async Task TypeAsync(string keys)
    {
        await _process.StandardInput.WriteAsync(keys);
        await _process.StandardInput.FlushAsync();
    }

    public async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
        await _reading;
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new char[4096];
        int count;
        do
        {
            count = await _process.StandardOutput.ReadAsync(buffer);
            TaskCompletionSource grown;
            lock (_screen)
            {
                _screen.Append(buffer, 0, count);
                _hasEnded = count == 0;
                (grown, _grown) = (_grown, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            }

            grown.SetResult();
        }
        while (count > 0);
    }
}
