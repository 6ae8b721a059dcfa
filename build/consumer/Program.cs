using System.Collections.Concurrent;
using System.Reflection;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery;

// What a first user does with the packages: enqueue an entry, work it, see it completed, here and on the dashboard.
var reached = new ConcurrentQueue<string>();
AppContext.SetData("TaskRecovery.FaultPoints", (Action<string>)reached.Enqueue);
var folder = Directory.CreateTempSubdirectory("taskrecovery-consumer-");
var database = Path.Combine(folder.FullName, "queue.db");
try
{
    await WorkOneAsync("SQLite", builder => builder.UseSqlite($"Data Source={database}"));
    await OpenDashboardAsync(database);
}
finally
{
    folder.Delete(recursive: true);
}

if (Environment.GetEnvironmentVariable("TASKRECOVERY_TEST_POSTGRES") is { Length: > 0 } server)
{
    await WorkOneAsync("PostgreSQL", builder => builder.UsePostgreSql(server, options => options.Schema = $"consumer_{Guid.NewGuid():n}"));
}

if (!reached.IsEmpty)
{
    throw new InvalidOperationException(
        $"The packages were built with the fault points of the tests: {string.Join(", ", reached.Distinct())}.");
}

CheckDocs(args[0]);
Console.WriteLine("OK");

static void CheckDocs(string packages)
{
    var (documented, count) = (new List<string>(), 0);
    foreach (var file in Directory.EnumerateFiles(packages, "TaskRecovery*.xml", SearchOption.AllDirectories))
    {
        // The test packages of another consumer are not references of this one.
        if (!File.Exists(Path.Combine(AppContext.BaseDirectory, Path.ChangeExtension(Path.GetFileName(file), ".dll"))))
        {
            continue;
        }

        var assembly = Assembly.Load(Path.GetFileNameWithoutExtension(file));
        var types = assembly.GetTypes().ToDictionary(static type => $"T:{type.FullName!.Replace('+', '.')}", StringComparer.Ordinal);
        foreach (var member in XDocument.Load(file).Descendants("member").Select(static member => member.Attribute("name")!.Value))
        {
            var name = member.Split('(')[0];
            var owner = name[0] == 'T' ? name : $"T:{name[2..name.LastIndexOf('.')]}";
            count++;
            if (!types.TryGetValue(owner, out var type) || !type.IsVisible || (name[0] != 'T' && !IsVisible(type, name)))
            {
                documented.Add(member);
            }
        }
    }

    if (documented.Count > 0 || count < 500)
    {
        throw new InvalidOperationException(
            $"The documents of the packages have {count} members, {documented.Count} of which are not public: "
            + string.Join(", ", documented.Take(10)));
    }

    Console.WriteLine($"Documents: {count} members.");
}

static bool IsVisible(Type type, string name)
{
    name = name[(name.LastIndexOf('.') + 1)..].Split('`')[0].Replace('#', '.');
    const BindingFlags any = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
    return type.GetMember(name, any).Any(static member => member switch
    {
        MethodBase method => IsOpen(method),
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsOpen),
        FieldInfo field => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly,
        _ => true,
    });

    static bool IsOpen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;
}

static async Task WorkOneAsync(string store, Action<TaskRecoveryBuilder> use)
{
    var builder = Host.CreateApplicationBuilder();
    builder.Logging.SetMinimumLevel(LogLevel.Warning);
    builder.Services.AddSingleton<Greeted>();
    use(builder.Services.AddTaskRecovery().AddWorker<Greeting, GreetingWorker>());
    using var host = builder.Build();
    await host.StartAsync();

    var queue = host.Services.GetRequiredService<IJobQueue>();
    var (id, _) = await queue.EnqueueAsync(new Greeting("world"));
    var greeted = await host.Services.GetRequiredService<Greeted>().Name.Task.WaitAsync(TimeSpan.FromSeconds(30));
    await host.StopAsync();

    var entry = await queue.FindAsync(id);
    if (greeted != "world" || entry?.State != EntryState.Completed)
    {
        throw new InvalidOperationException($"{store}: greeted '{greeted}', entry {id} is {entry?.State.ToString() ?? "not there"}.");
    }

    Console.WriteLine($"{store}: entry {id} completed.");
}

static async Task OpenDashboardAsync(string database)
{
    // In Development the dashboard may be opened from the machine itself without a policy.
    var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = Environments.Development });
    builder.Logging.SetMinimumLevel(LogLevel.Warning);
    builder.WebHost.UseUrls("http://127.0.0.1:0");
    builder.Services.AddTaskRecovery().UseSqlite($"Data Source={database}");
    builder.Services.AddTaskRecoveryDashboard();
    await using var app = builder.Build();
    app.MapTaskRecovery("/jobs");
    await app.StartAsync();

    using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
    var page = await client.GetStringAsync("/jobs/entries");
    await app.StopAsync();
    if (!page.Contains("greeting", StringComparison.Ordinal))
    {
        throw new InvalidOperationException($"The dashboard does not show the entry: {page}");
    }

    Console.WriteLine("Dashboard: shows the entry.");
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
