using System.Text;
using Microsoft.Extensions.Logging;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>The log lines of one run that are not stored yet. Lines come from any thread.</summary>
internal sealed class RunLog(long entryId, long fence, TimeProvider time)
{
    private const int MaxBytes = 64 * 1024;
    private const int MaxMessage = 4_000;
    private const int MaxCategory = 200;

    private readonly Lock _gate = new();
    private List<RunLogLine> _lines = [];
    private int _bytes;
    private int _parts;

    /// <summary>Adds a line, unless the run has written enough.</summary>
    public void Add(LogLevel level, string category, string message)
    {
        lock (_gate)
        {
            if (_bytes >= MaxBytes)
            {
                return;
            }

            message = EntryText.Storable(message, MaxMessage);
            _bytes += Encoding.UTF8.GetByteCount(message) + category.Length;
            _lines.Add(new RunLogLine(fence, time.GetUtcNow(), level, EntryText.Storable(category, MaxCategory), message));
            if (_bytes >= MaxBytes)
            {
                _lines.Add(new RunLogLine(
                    fence, time.GetUtcNow(), LogLevel.Warning, category,
                    $"Further lines of this run are not kept: it has written {MaxBytes / 1024} KiB."));
            }
        }
    }

    /// <summary>Takes the lines that were added since the last call.</summary>
    public RunLogPart? Take()
    {
        lock (_gate)
        {
            if (_lines.Count == 0)
            {
                return null;
            }

            var part = new RunLogPart(entryId, fence, _parts++, _lines);
            _lines = [];
            return part;
        }
    }
}
