namespace TaskRecovery.Workers;

/// <summary>The end of token sources.</summary>
internal static class TokenSources
{
    /// <summary>Fires the token and disposes its source: what waits on it in a host that is disposed without having been stopped (another service of it failed to start, for example) ends too. May be called again.</summary>
    public static void CancelAndDispose(this CancellationTokenSource source)
    {
        source.TryCancel();
        source.Dispose();
    }

    /// <summary>Cancels the token, if that has not been done by a dispose: a host may be stopped after it was disposed, and a container disposes a service once for each of the types that it is registered as.</summary>
    public static void TryCancel(this CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // End has cancelled it.
        }
    }
}
