using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Options;

namespace TaskRecovery.Testing.Hosts;

/// <summary>Throws what the check at the end of a test has found, after the engine and its store have been disposed. A container stops at
/// the first error, and an engine that was not disposed would run entries of later tests.</summary>
/// <remarks>It is created with the options, which the engine and its store need first, and a container disposes in reverse order.</remarks>
internal sealed class LastError : IConfigureOptions<TaskRecoveryOptions>, IDisposable
{
    private Exception? _error;

    /// <summary>Sets the error to throw.</summary>
    public void Set(Exception error) => _error = error;

    /// <summary>Changes nothing.</summary>
    public void Configure(TaskRecoveryOptions options)
    {
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _error, null) is { } error)
        {
            ExceptionDispatchInfo.Throw(error);
        }
    }
}
