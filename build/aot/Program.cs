using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using TaskRecovery;

// A native program with a worker, a job and the dashboard. It calls every page and the API, and prints OK.
var folder = Directory.CreateTempSubdirectory("taskrecovery-aot-");
try
{
    var builder = WebApplication.CreateSlimBuilder(args);
    builder.Logging.SetMinimumLevel(LogLevel.Warning);
    builder.WebHost.UseUrls("http://127.0.0.1:0");
    builder.Services.AddSingleton<Greeted>();
    var recovery = builder.Services.AddTaskRecovery(static options =>
        options.Json = new JsonSerializerOptions(JsonSerializerDefaults.Web) { TypeInfoResolver = AotJson.Default });
    if (Environment.GetEnvironmentVariable("TASKRECOVERY_TEST_POSTGRES") is { Length: > 0 } server)
    {
        recovery.UsePostgreSql(server, static options => options.Schema = $"aot_{Guid.NewGuid():n}");
    }
    else
    {
        recovery.UseSqlite($"Data Source={Path.Combine(folder.FullName, "queue.db")}");
    }

    recovery.AddWorker<Greeting, GreetingWorker>();
    builder.Services.AddTaskRecovery("reports", static options =>
            options.Json = new JsonSerializerOptions(JsonSerializerDefaults.Web) { TypeInfoResolver = AotJson.Default })
        .UseSqlite($"Data Source={Path.Combine(folder.FullName, "reports.db")}");
    builder.Services.AddAuthorization(
        static options => options.AddPolicy("everyone", static policy => policy.RequireAssertion(static _ => true)));
    builder.Services.AddTaskRecoveryDashboard(static options => options.OperatePolicy = options.DataPolicy = "everyone");
    builder.Services.AddTaskRecoveryDashboard("reports");
    await using var app = builder.Build();
    app.MapTaskRecovery("/jobs").AllowAnonymous();
    app.MapTaskRecovery("/reports", instance: "reports").AllowAnonymous();
    app.MapTaskRecoveryApi("/jobs/api").AllowAnonymous();
    await app.StartAsync();

    var (id, _) = await app.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new Greeting("world"));
    var name = await app.Services.GetRequiredService<Greeted>().Name.Task.WaitAsync(TimeSpan.FromSeconds(30));
    using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    foreach (var path in (string[])
    [
        "../reports/", "", "queues", "entries", $"entries/{id}", "entries?text=world&group=kind", "kinds",
        "jobs", "tasks", "nodes", "events", "operations", "search?q=greet", "about",
        "api/snapshot", "api/entries", $"api/entries/{id}", "api/groups", "api/kinds",
        "api/nodes", "api/jobs", "api/tasks", "api/events", "api/operations",
    ])
    {
        using var response = await client.GetAsync($"jobs/{path}");
        var body = await response.Content.ReadAsStringAsync();
        if (response.StatusCode != HttpStatusCode.OK || body.Length < 2)
        {
            throw new InvalidOperationException($"jobs/{path}: {response.StatusCode}, {body.Length} characters.");
        }
    }

    using var post = new HttpRequestMessage(HttpMethod.Post, "jobs/queues/pause")
    {
        Content = new FormUrlEncodedContent([new("name", "default"), new("reason", "a native program")]),
    };
    post.Headers.Add("Sec-Fetch-Site", "same-origin");
    using var paused = await client.SendAsync(post);
    var queue = (await app.Services.GetRequiredService<IQueueMonitor>().GetSnapshotAsync()).Queues.Single(
        static one => one.Name == "default");
    if (queue.Pause?.Reason != "a native program" || name != "world")
    {
        throw new InvalidOperationException($"The queue was not paused: {paused.StatusCode}.");
    }

    await app.StopAsync();
    Console.WriteLine("OK");
}
finally
{
    folder.Delete(recursive: true);
}

[JobKind("greeting")]
internal sealed record Greeting(string Name);

internal sealed class Greeted
{
    public TaskCompletionSource<string> Name { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

internal sealed class GreetingWorker(Greeted greeted) : IJobWorker<Greeting>
{
    public Task WorkAsync(WorkContext<Greeting> context, CancellationToken cancellationToken)
    {
        greeted.Name.TrySetResult(context.Args.Name);
        return Task.CompletedTask;
    }
}

[JsonSerializable(typeof(Greeting))]
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
internal sealed partial class AotJson : JsonSerializerContext;
