namespace TaskRecovery.Testing.Crashes;

/// <summary>Makes every check asynchronous.</summary>
internal static class CrashCheck
{
    public static Func<TWorld, Task> Of<TWorld>(Action<TWorld> check)
    {
        ArgumentNullException.ThrowIfNull(check);
        return world =>
        {
            check(world);
            return Task.CompletedTask;
        };
    }
}
