using System.Runtime.InteropServices;

namespace TaskRecovery.Cli.Commands;

/// <summary>What Ctrl-C and SIGTERM do. The first signal cancels the command, which ends what it has begun in the database; the second one
/// ends the process at once.</summary>
/// <remarks>No time limit ends the process after the first signal. An operation whose stop was not stored yet would be carried out by a
/// node.</remarks>
internal sealed class Interruption : IDisposable
{
    /// <summary>How long the end of a command may take before the user is told how to end the process.</summary>
    internal static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);

    private readonly TextWriter _error;
    private readonly TimeProvider _time;
    private readonly PosixSignalRegistration[] _registrations;
    private readonly CancellationTokenSource _cancelled = new();
    private ITimer? _note;
    private int _signals;

    public Interruption(TextWriter error, TimeProvider time)
    {
        (_error, _time) = (error, time);
        _registrations =
            [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _cancelled.Token;

    /// <summary>Handles a signal.</summary>
    internal void Handle(PosixSignalContext context)
    {
        // A signal that is not cancelled ends the process.
        context.Cancel = Interlocked.Increment(ref _signals) == 1;
        if (!context.Cancel)
        {
            return;
        }

        _note = _time.CreateTimer(
            _ => _error.WriteLine("Stopping. Press Ctrl-C again to end at once: a bulk operation may continue on a running node then."),
            state: null, Silence, Timeout.InfiniteTimeSpan);

        // A driver may take seconds to cancel a statement, on the thread that cancels the token.
        _ = _cancelled.CancelAsync();
    }

    /// <summary>Ends the handling of signals. The token's source is not disposed, because a signal may be handled at this
    /// moment.</summary>
    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _note?.Dispose();
    }
}
