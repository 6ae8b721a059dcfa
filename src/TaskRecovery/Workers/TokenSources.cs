namespace TaskRecovery.Workers;

/// <summary>Extensions that cancel token sources during shutdown.</summary>
internal static class TokenSources
{
    /// <summary>Cancels the token and disposes its source. If a host is disposed without having been stopped (for example because another
    /// service failed to start), this also ends the tasks that wait for the token. May be called more than once.</summary>
    public static void CancelAndDispose(this CancellationTokenSource source)
    {
        source.TryCancel();
        source.Dispose();
    }

    /// <summary>Cancels the token, unless its source is disposed: a host may be stopped after it was disposed, and a container disposes a
    /// service once for each type under which it is registered.</summary>
    public static void TryCancel(this CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // CancelAndDispose has already cancelled the token.
        }
    }
}
