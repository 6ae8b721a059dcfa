namespace TaskRecovery.Tests.Support;

/// <summary>An operating system that has no thread left.</summary>
internal static class NoThread
{
    // What the runtime throws then.
    private static readonly Type AtThreadLimit = typeof(OutOfMemoryException);

    public static void Start(Thread thread) => throw (Exception)Activator.CreateInstance(AtThreadLimit)!;
}
