using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace TaskRecovery.Crash.Host;

/// <summary>A file that one process appends to. Each line is one write to the operating system, so a kill loses none that was
/// written.</summary>
/// <remarks>Times are of the machine's monotonic clock, which all its processes share; no wall clock is involved.</remarks>
public sealed class Journal : IDisposable
{
    private readonly FileStream _file;
    private readonly Lock _gate = new();
    private int _begun;

    public Journal(string path)
        => _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);

    /// <summary>How many handlers have begun in this process.</summary>
    public int Begun => Volatile.Read(ref _begun);

    public void Write(long entryId, long fence, string what, string detail = "-")
    {
        var line = Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"{Stopwatch.GetTimestamp()} {Environment.ProcessId} {entryId} {fence} {what} {detail}\n"));
        lock (_gate)
        {
            _file.Write(line);
        }

        if (what == JournalEvents.Begin)
        {
            Interlocked.Increment(ref _begun);
        }
    }

    /// <summary>Reads what every process has written so far, in the order of time.</summary>
    public static IReadOnlyList<JournalLine> ReadAll(string folder)
        => [.. Directory.EnumerateFiles(folder, "*.journal").SelectMany(Read).OrderBy(line => line.At)];

    /// <summary>Reads what one process has written so far; a last line cut short by a kill is skipped.</summary>
    public static IReadOnlyList<JournalLine> Read(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var text = reader.ReadToEnd();
        var whole = text[..(text.LastIndexOf('\n') + 1)];
        return [.. whole.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(JournalLine.Parse)];
    }

    public void Dispose() => _file.Dispose();
}

/// <summary>One line of a journal.</summary>
/// <param name="At">When, in ticks of <see cref="Stopwatch"/>.</param>
/// <param name="ProcessId">By which process.</param>
/// <param name="EntryId">The entry.</param>
/// <param name="Fence">The claim it ran under.</param>
/// <param name="What">One of <see cref="JournalEvents"/>.</param>
/// <param name="Detail">A step's name, a task's id or a reason.</param>
public sealed record JournalLine(long At, int ProcessId, long EntryId, long Fence, string What, string Detail)
{
    public static JournalLine Parse(string line)
    {
        var parts = line.Split(' ', 6);
        return new JournalLine(Number(parts[0]), (int)Number(parts[1]), Number(parts[2]), Number(parts[3]), parts[4], parts[5]);

        static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
    }
}

/// <summary>What a journal can say.</summary>
public static class JournalEvents
{
    /// <summary>The host is about to start.</summary>
    public const string Starting = "starting";

    /// <summary>The host has started.</summary>
    public const string Started = "started";

    /// <summary>The process enqueued an entry itself, and was told so; the detail says what it is.</summary>
    public const string Acknowledged = "acknowledged";

    /// <summary>A handler began; the detail says what it is.</summary>
    public const string Begin = "begin";

    /// <summary>The detail of a run that ignores its token.</summary>
    public const string Deaf = "deaf";

    /// <summary>A handler ended, whichever way.</summary>
    public const string End = "end";

    /// <summary>A handler did all its work.</summary>
    public const string Done = "done";

    /// <summary>A handler's token was cancelled.</summary>
    public const string Token = "token";

    /// <summary>A step began.</summary>
    public const string StepBegin = "step-begin";

    /// <summary>A step ended; its result was stored.</summary>
    public const string StepStored = "step-stored";

    /// <summary>The process is about to kill itself, at the fault point that the detail names.</summary>
    public const string Dying = "dying";

    /// <summary>Something was refused because the claim was lost.</summary>
    public const string Refused = "refused";
}
