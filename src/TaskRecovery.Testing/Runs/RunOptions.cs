namespace TaskRecovery.Testing.Runs;

/// <summary>The options of a run as a test configures them.</summary>
internal static class RunOptions
{
    /// <summary>The default options, changed by the test if it passes a function.</summary>
    public static TOptions From<TOptions>(Func<TOptions, TOptions>? configure)
        where TOptions : new()
    {
        var options = new TOptions();
        return configure is null ? options : configure(options) ?? options;
    }
}
