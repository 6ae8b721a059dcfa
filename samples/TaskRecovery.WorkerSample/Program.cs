using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using TaskRecovery;
using TaskRecovery.WorkerSample;

// A worker service that takes everything from its configuration: the connection string "tasks", as an orchestrator such as Aspire sets it
// (ConnectionStrings__tasks), and the section "TaskRecovery". Metrics and traces go to the console.
var builder = Host.CreateApplicationBuilder(args);
var tasks = builder.Configuration.GetConnectionString("tasks")
    ?? throw new InvalidOperationException("There is no connection string 'tasks': set ConnectionStrings__tasks.");

var taskRecovery = builder.Services.AddTaskRecovery(builder.Configuration.GetSection("TaskRecovery"));
_ = tasks.StartsWith("Data Source=", StringComparison.OrdinalIgnoreCase)
    ? taskRecovery.UseSqlite(tasks)
    : taskRecovery.UsePostgreSql(tasks);
taskRecovery
    .AddWorker<MakeThumbnail, MakeThumbnailWorker>()
    .AddTaskHandler<FindImages, FindImagesHandler>()
    .AddCronJob("find images", "*/5 * * * * *", new FindImages("holiday"));

builder.Services.AddOpenTelemetry()
    .WithMetrics(static metrics => metrics
        .AddTaskRecoveryInstrumentation()
        .AddConsoleExporter(static (_, reader) => reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = 30_000))
    .WithTracing(static traces => traces.AddTaskRecoveryInstrumentation().AddConsoleExporter());

await builder.Build().RunAsync();
