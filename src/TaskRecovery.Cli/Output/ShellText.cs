namespace TaskRecovery.Cli.Output;

/// <summary>Text that a user can paste into a shell.</summary>
internal static class ShellText
{
    /// <summary>Quotes a name, which may contain anything.</summary>
    public static string Quoted(string name) => $"'{name.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
