using System.Diagnostics;

namespace TaskRecovery.TestSupport;

/// <summary>Runs a command to its end.</summary>
internal static class Command
{
    public static async Task<(int ExitCode, string Output)> RunAsync(string[] command, string? workingFolder = null)
    {
        var start = new ProcessStartInfo(command[0])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = workingFolder ?? "/",
        };
        start.Environment["LC_ALL"] = "C";
        foreach (var argument in command[1..])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException($"'{command[0]}' did not start.");
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }
}
