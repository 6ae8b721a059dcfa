namespace TaskRecovery.Hosting;

/// <summary>Starts threads for work that must not wait for the thread pool. At a limit of processes, such as that of a container, or
/// without memory, the operating system has no thread: then the caller does the work in another way, because it must be done.</summary>
internal static class OwnThread
{
    /// <summary>Starts a thread.</summary>
    /// <param name="work">What it does.</param>
    /// <param name="name">Its name.</param>
    /// <param name="start">Starts it. Only tests replace this.</param>
    /// <returns><see langword="false"/> if no thread could be started.</returns>
    public static bool TryStart(ThreadStart work, string name, Action<Thread>? start = null)
    {
        try
        {
            (start ?? Start)(new Thread(work) { IsBackground = true, Name = name });
            return true;
        }
        catch (Exception exception) when (exception is OutOfMemoryException or ThreadStartException)
        {
            return false;
        }
    }

    private static void Start(Thread thread) => thread.UnsafeStart();
}
