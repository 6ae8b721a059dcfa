namespace TaskRecovery.Workers;

/// <summary>The end of token sources.</summary>
internal static class TokenSources
{
    /// <summary>Fires the token and disposes its source: what waits on it in a host that is disposed without having been stopped (another service of it failed to start, for example) ends too. May be called again.</summary>
    public static void End(this CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // A container disposes a service once for each of the types that it is registered as.
        }

        source.Dispose();
    }
}
