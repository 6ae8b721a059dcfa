using System.Diagnostics;
using System.Globalization;

namespace TaskRecovery.WebSample;

/// <summary>Starts the shop as a process of its own, and starts it again when it was killed. A container platform does the same.</summary>
internal static class Supervisor
{
    public static async Task<int> RunAsync(ShopOptions options, CancellationToken cancellationToken)
    {
        Console.WriteLine($"shop       http://localhost:{options.Port}/");
        Console.WriteLine($"dashboard  http://localhost:{options.Port}/jobs/");
        Console.WriteLine($"store      {(options.Postgres is null
            ? $"{options.DatabasePath} (for PostgreSQL: --postgres, with the connection string in {ShopOptions.PostgresVariable})"
            : $"PostgreSQL, by {ShopOptions.PostgresVariable}")}");
        while (true)
        {
            using var shop = Start(options);
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

    private static Process Start(ShopOptions options)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true };
        if (Path.GetFileNameWithoutExtension(start.FileName).Equals("dotnet", StringComparison.OrdinalIgnoreCase))
        {
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "TaskRecovery.WebSample.dll"));
        }

        // The folder is named, because it may be a new one: the shop must find its file again.
        string[] arguments =
        [
            "--child", "--port", options.Port.ToString(CultureInfo.InvariantCulture), "--data", options.Data,
            .. options.Postgres is null ? (string[])[] : ["--postgres"],
            .. options.HasCustomers ? (string[])[] : ["--no-customers"],
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start) ?? throw new InvalidOperationException("The shop could not be started.");
    }
}
