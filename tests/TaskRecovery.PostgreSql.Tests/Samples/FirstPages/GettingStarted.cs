using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery;

namespace TaskRecovery.PostgreSql.Tests.Samples.FirstPages;

/// <summary>The code of docs/getting-started.md, each piece in a method of its own.</summary>
public static class GettingStarted
{
    public static void AddFirst(HostApplicationBuilder builder)
    {
        builder.Services.AddTaskRecovery()
            .UsePostgreSql(builder.Configuration.GetConnectionString("Tasks")!)   // or .UseSqlite("Data Source=tasks.db")
            .AddWorker<SendMail, SendMailWorker>();
    }

    public static void AddNative(HostApplicationBuilder builder, string connectionString)
    {
        builder.Services.AddTaskRecovery(options => options.Json = AppJson.Default.Options)
            .UsePostgreSql(connectionString)
            .AddWorker<SendMail, SendMailWorker>();
    }

    public static void AddJob(HostApplicationBuilder builder, string connectionString)
    {
        builder.Services.AddTaskRecovery()
            .UsePostgreSql(connectionString)
            .AddTaskHandler<CleanUp, CleanUpHandler>()
            .AddIntervalJob("clean-up", TimeSpan.FromMinutes(10), new CleanUp(OlderThanDays: 30));
    }

    public static void AddMiddleware(HostApplicationBuilder builder)
    {
        builder.Services.AddTaskRecovery().AddMiddleware<TenantMiddleware>();
    }

    public static void AddKind(HostApplicationBuilder builder, string connectionString)
    {
        builder.Services.AddTaskRecovery()
            .UsePostgreSql(connectionString)
            .AddKind<SendMail>(maxAttempts: 20);
    }

    public static async Task<EnqueueResult> EnqueueAsync(IJobQueue queue, CancellationToken cancellationToken)
    {
        var result = await queue.EnqueueAsync(new SendMail("ada@example.org", "Hello"), cancellationToken);
        return result;
    }

    public static async Task EnqueueLaterAsync(IJobQueue queue, CancellationToken cancellationToken)
    {
        await queue.EnqueueAsync(new SendMail("ada@example.org", "Hello"), new EnqueueOptions
        {
            Queue = "mail",                                     // only nodes that name it serve it: AddQueue("mail"), or configuration
            RunAfter = TimeSpan.FromMinutes(10),
            UniqueKey = "welcome-4711",                         // while this entry has not ended, another of its kind is a duplicate
            Metadata = new Dictionary<string, string> { ["customer"] = "4711" },   // by which it can be found, and erased
        }, cancellationToken);
    }

    public static void End(WorkContext context)
    {
        context.SetResult(new { Sent = 3 });         // stored with the entry; IJobQueue.FindAsync returns it
        context.Snooze(TimeSpan.FromMinutes(5));     // runs again later, without spending an attempt
        context.Fail("The address does not exist");  // fails the entry now, even if attempts are left
        context.Cancel("Not needed any more");       // ends the entry as cancelled
    }
}

[JobKind("mail.send")]
public sealed record SendMail(string To, string Subject);

public sealed class SendMailWorker(IMailer mailer) : IJobWorker<SendMail>
{
    public Task WorkAsync(WorkContext<SendMail> context, CancellationToken cancellationToken)
        => mailer.SendAsync(context.Args.To, context.Args.Subject, cancellationToken);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(SendMail))]
[JsonSerializable(typeof(string))]      // the result of the step "download"
internal sealed partial class AppJson : JsonSerializerContext;

[JsonSerializable(typeof(string))]
internal sealed partial class OtherJson : JsonSerializerContext;

[JobKind("import")]
public sealed record Import(string Url);

public sealed class ImportWorker(IPages site) : IJobWorker<Import>
{
    public async Task WorkAsync(WorkContext<Import> context, CancellationToken cancellationToken)
    {
        var file = await context.StepAsync("download", token => DownloadAsync(context.Args.Url, token), cancellationToken);
        var rows = await context.StepAsync("parse", token => ParseAsync(file, token), cancellationToken);
        await context.StepAsync("publish", token => PublishAsync(rows, token), cancellationToken);
    }

    private Task<string> DownloadAsync(string url, CancellationToken cancellationToken) => site.GetAsync(url, cancellationToken);

    private static Task<int[]> ParseAsync(string file, CancellationToken cancellationToken)
        => Task.FromResult(file.Split(' ').Select(int.Parse).ToArray()).WaitAsync(cancellationToken);

    private Task PublishAsync(int[] rows, CancellationToken cancellationToken) => site.PublishAsync(rows, cancellationToken);
}

[JobKind("pages")]
public sealed record ReadPages(int Pages);

public sealed class ReadPagesWorker(IPages site) : IJobWorker<ReadPages>
{
    public async Task WorkAsync(WorkContext<ReadPages> context, CancellationToken cancellationToken)
    {
        var pages = context.Args.Pages;
        var next = await context.GetCheckpointAsync<int>(cancellationToken);   // 0 the first time
        for (; next < pages; next++)
        {
            await ReadPageAsync(next, cancellationToken);
            await context.SaveCheckpointAsync(next + 1, cancellationToken);
        }
    }

    private Task ReadPageAsync(int page, CancellationToken cancellationToken) => site.GetAsync($"page {page}", cancellationToken);
}

[JobKind("clean-up")]
public sealed record CleanUp(int OlderThanDays);

public sealed class CleanUpHandler(IArchive archive) : ITaskHandler<CleanUp>
{
    public Task RunAsync(TaskContext<CleanUp> context, CancellationToken cancellationToken)
        => context.StepAsync("delete", token => archive.DeleteAsync(context.Args.OlderThanDays, token), cancellationToken);
}

public sealed class TenantMiddleware(ITenants tenants) : IWorkMiddleware
{
    public async Task InvokeAsync(WorkContext context, WorkDelegate next, CancellationToken cancellationToken)
    {
        using var tenant = tenants.Enter(context.Metadata.GetValueOrDefault("tenant"));
        await next(context, cancellationToken);
    }
}

public interface IMailer
{
    Task SendAsync(string to, string subject, CancellationToken cancellationToken);
}

public interface IPages
{
    Task<string> GetAsync(string url, CancellationToken cancellationToken);

    Task PublishAsync(int[] rows, CancellationToken cancellationToken);
}

public interface IArchive
{
    Task DeleteAsync(int olderThanDays, CancellationToken cancellationToken);
}

public interface ITenants
{
    IDisposable Enter(string? tenant);
}
