using System.Text.Json;

namespace TaskRecovery.Cli.Tests;

/// <summary>What one call of the tool wrote and returned.</summary>
internal sealed record CliResult(int ExitCode, string Out, string Error)
{
    /// <summary>The lines of standard output.</summary>
    public string[] Lines => Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Standard output as JSON.</summary>
    public JsonElement Json() => Parse(Out);

    /// <summary>Reads a line as JSON.</summary>
    public static JsonElement Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }

    /// <summary>Asserts that the call failed with this code, wrote one line to standard error, and no data.</summary>
    public void AssertFailed(int exitCode, string message)
    {
        Assert.Equal((exitCode, ""), (ExitCode, Out));
        Assert.Contains(message, Assert.Single(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }
}
