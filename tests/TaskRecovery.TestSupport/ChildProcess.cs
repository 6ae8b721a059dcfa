using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;

namespace TaskRecovery.TestSupport;

/// <summary>A real process that a test starts, reads from, and kills.</summary>
/// <remarks>Its standard input is a pipe that closes when the test process ends; a child that calls
/// <see cref="ParentProcess.ExitWhenItIsGone"/> then ends too.</remarks>
public sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly Channel<string> _unread = Channel.CreateUnbounded<string>();
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly Task _reading;

    private ChildProcess(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadLinesAsync(), ReadErrorsAsync());
    }

    /// <summary>The operating system's process id.</summary>
    public int Id => _process.Id;

    /// <summary>Whether the process has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Every line that the process has written to standard output.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>The process's whole output, for the message of a failed test.</summary>
    public string Output => string.Join('\n', _lines.Concat(_errors));

    /// <summary>Starts a .NET program from its assembly.</summary>
    public static ChildProcess StartDotnet(
        string assemblyPath, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } path ? path : "dotnet";
        return Start(host, [assemblyPath, .. arguments], environment);
    }

    /// <summary>Starts any program.</summary>
    public static ChildProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            start.Environment[name] = value;
        }

        return new ChildProcess(Process.Start(start) ?? throw new InvalidOperationException($"'{program}' did not start."));
    }

    /// <summary>Sends a signal to this process only, not to its children.</summary>
    public void Send(Signal signal)
    {
        ArgumentNullException.ThrowIfNull(signal);
        signal.SendTo(Id);
    }

    /// <summary>Kills the process with SIGKILL and waits until it has ended.</summary>
    public async Task KillAsync()
    {
        Send(Signal.Kill);
        await WaitForExitAsync();
    }

    /// <summary>Writes a line to the process's standard input.</summary>
    public async Task WriteLineAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Returns the next unread line; null when the process has closed its output.</summary>
    public async Task<string?> ReadLineAsync(TimeSpan? timeout = null)
    {
        using var timer = new CancellationTokenSource(timeout ?? DefaultTimeout);
        try
        {
            return await _unread.Reader.WaitToReadAsync(timer.Token) && _unread.Reader.TryRead(out var line) ? line : null;
        }
        catch (OperationCanceledException exception)
        {
            throw new TimeoutException($"No line from process {Id} within {timeout ?? DefaultTimeout}. It wrote:\n{Output}", exception);
        }
    }

    /// <summary>Reads up to the first line that starts with this text. Throws if the process ends before.</summary>
    public async Task<string> WaitForLineAsync(string start, TimeSpan? timeout = null)
    {
        var limit = timeout ?? DefaultTimeout;
        var clock = Stopwatch.StartNew();
        while (await ReadLineAsync(limit - clock.Elapsed is { Ticks: > 0 } rest ? rest : TimeSpan.Zero) is { } line)
        {
            if (line.StartsWith(start, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new InvalidOperationException($"Process {Id} ended without a line '{start}...'. It wrote:\n{Output}");
    }

    /// <summary>Waits for the process to end and returns its exit code (137 after SIGKILL). What it wrote has been read then.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan? timeout = null)
    {
        using var timer = new CancellationTokenSource(timeout ?? DefaultTimeout);
        try
        {
            await _process.WaitForExitAsync(timer.Token);
        }
        catch (OperationCanceledException exception)
        {
            throw new TimeoutException($"Process {Id} did not end within {timeout ?? DefaultTimeout}. It wrote:\n{Output}", exception);
        }

        // Not for ever: a child of this process may live on and keep the pipes open.
        await Task.WhenAny(_reading, Task.Delay(TimeSpan.FromSeconds(30)));
        return _process.ExitCode;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        await _reading;
        _process.Dispose();
    }

    private async Task ReadLinesAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            _lines.Enqueue(line);
            _unread.Writer.TryWrite(line);
        }

        _unread.Writer.Complete();
    }

    private async Task ReadErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            _errors.Enqueue(line);
        }
    }
}
