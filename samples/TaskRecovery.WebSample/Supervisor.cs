using System.Diagnostics;

namespace TaskRecovery.WebSample;

/// <summary>Starts the shop as a process of its own, and starts it again when it was killed. A container platform does the same.</summary>
internal static class Supervisor
{
    public static async Task<int> RunAsync(string[] arguments, ShopOptions options, CancellationToken cancellationToken)
    {
        Console.WriteLine($"shop       http://localhost:{options.Port}/");
        Console.WriteLine($"dashboard  http://localhost:{options.Port}/jobs/");
        Console.WriteLine($"store      {(options.Postgres is null ? options.DatabasePath : "PostgreSQL")}");
        while (true)
        {
            using var shop = Start(arguments);
            try
            {
                await shop.WaitForExitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // The shop stops gracefully when its input ends. It does so too if this process is killed.
                shop.StandardInput.Close();
                await shop.WaitForExitAsync(CancellationToken.None);
                return 0;
            }

            if (shop.ExitCode == 0)
            {
                return 0;
            }

            Console.WriteLine($"The shop (process {shop.Id}) is gone, exit code {shop.ExitCode}. Starting it again.");
        }
    }

    private static Process Start(string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true };
        if (Path.GetFileNameWithoutExtension(start.FileName).Equals("dotnet", StringComparison.OrdinalIgnoreCase))
        {
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "TaskRecovery.WebSample.dll"));
        }

        start.ArgumentList.Add("--child");
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start) ?? throw new InvalidOperationException("The shop could not be started.");
    }
}
