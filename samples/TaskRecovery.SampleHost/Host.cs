using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace TaskRecovery.SampleHost;

/// <summary>The host itself: this is all that a service of your own needs.</summary>
internal static class Host
{
    public static async Task<int> RunAsync(SampleOptions options, CancellationToken cancellationToken)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<Journal>();

        Add(builder.Services, options)
            .AddTaskHandler<ReadDocsArgs, ReadDocsHandler>()
            .AddIntervalJob(options.Job, options.Every, new ReadDocsArgs(options.Folder, options.ReportPath));

        using var host = builder.Build();
        Console.WriteLine($"store    {(options.Postgres is null ? options.DatabasePath : "PostgreSQL")}");
        Console.WriteLine($"reading  {options.Folder}");
        if (!options.Once)
        {
            Console.WriteLine(
                $"process  {Environment.ProcessId}: kill it when you like (kill -9 {Environment.ProcessId}), and start it again");
        }

        await host.RunAsync(cancellationToken);
        return 0;
    }

    /// <summary>The same line for every store.</summary>
    public static TaskRecoveryBuilder Add(IServiceCollection services, SampleOptions options)
    {
        // The types that are stored as JSON have metadata from the compiler, so that the sample can be published with native AOT.
        var taskRecovery = services.AddTaskRecovery(static settings => settings.Json = SampleJson.Default.Options);
        return options.Postgres is { } connectionString
            ? taskRecovery.UsePostgreSql(connectionString)
            : taskRecovery.UseSqlite($"Data Source={options.DatabasePath}");
    }
}
