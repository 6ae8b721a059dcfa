using System.Runtime.ExceptionServices;

namespace TaskRecovery.Testing.Hosts;

/// <summary>Throws what the check at the end of a test has found, after the engine and its store have been disposed. A container stops at
/// the first error, and an engine that was not disposed would run entries of later tests.</summary>
/// <remarks>A container disposes in reverse order, and an object once for each registration that returned it. So this one has one
/// registration, and <see cref="LastErrorCreator"/> has it created first.</remarks>
internal sealed class LastError : IDisposable
{
    private Exception? _error;

    /// <summary>Sets the error to throw.</summary>
    public void Set(Exception error) => _error = error;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _error, null) is { } error)
        {
            ExceptionDispatchInfo.Throw(error);
        }
    }
}
