using System.Text;
using Microsoft.Win32.SafeHandles;

namespace TaskRecovery.Cli.Output;

/// <summary>The streams and the environment of the process.</summary>
internal sealed record Terminal
{
    /// <summary>Standard output, for data.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Standard error, for everything else.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Standard input, for answers.</summary>
    public required TextReader In { get; init; }

    /// <summary>Whether standard output is a terminal that can show tables with borders.</summary>
    public bool IsRich { get; init; }

    /// <summary>Whether a question can be asked: standard input and standard error are a terminal.</summary>
    public bool CanAsk { get; init; }

    /// <summary>Returns the key that was pressed, if there is one. It does not wait.</summary>
    public Func<char?> PressedKey { get; init; } = static () => null;

    /// <summary>The columns and rows of the screen.</summary>
    public Func<(int Columns, int Rows)> Size { get; init; } = static () => (80, 24);

    /// <summary>The clock of the time limit.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Reads an environment variable.</summary>
    public required Func<string, string?> Variable { get; init; }

    /// <summary>Whether colors are wanted (see https://no-color.org).</summary>
    public bool HasColors => string.IsNullOrEmpty(Variable("NO_COLOR"));

    /// <summary>The terminal of this process.</summary>
    public static Terminal OfProcess() => new()
    {
        Out = (Console.IsOutputRedirected ? OpenPipe() : null) ?? Console.Out,
        Error = Console.Error,
        In = Console.In,
        IsRich = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb",
        CanAsk = !Console.IsInputRedirected && !Console.IsErrorRedirected,
        PressedKey = static () => Console.KeyAvailable ? Console.ReadKey(intercept: true).KeyChar : null,
        Size = static () => (Console.WindowWidth, Console.WindowHeight),
        Variable = Environment.GetEnvironmentVariable,
    };

    // The console's stream ignores that a pipe has no reader any more. What is written is lost then, and a command that follows something
    // would never end. A stream over a regular file does not move the position that the file has for all processes, so a file is left to
    // the console's stream, which reports a full disk.
    private static TextWriter? OpenPipe()
    {
        if (OperatingSystem.IsWindows())
        {
            return null;
        }

        try
        {
            var stream = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            return stream.CanSeek
                ? null
                : TextWriter.Synchronized(new StreamWriter(
                    new PipeStream(stream, Console.OpenStandardOutput()), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false))
                {
                    AutoFlush = true,
                });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // There is no standard output.
            return null;
        }
    }
}
