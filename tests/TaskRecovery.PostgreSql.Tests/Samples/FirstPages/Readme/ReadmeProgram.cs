using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery;

namespace TaskRecovery.PostgreSql.Tests.Samples.FirstPages.Readme;

/// <summary>The program of the README.</summary>
public static class ReadmeProgram
{
    public static void Run(string[] args)
    {
        var builder = Host.CreateApplicationBuilder(args);
        builder.Services.AddTaskRecovery()
            .UsePostgreSql(builder.Configuration.GetConnectionString("Tasks")!)   // or .UseSqlite("Data Source=tasks.db")
            .AddWorker<SendMail, SendMailWorker>();
        builder.Build().Run();
    }

    public static async Task EnqueueAsync(IJobQueue queue)
    {
        await queue.EnqueueAsync(new SendMail("ada@example.org", "Hello"));
    }
}

[JobKind("mail.send")]
public sealed record SendMail(string To, string Subject);

public sealed class SendMailWorker(IMailer mailer) : IJobWorker<SendMail>
{
    public async Task WorkAsync(WorkContext<SendMail> context, CancellationToken cancellationToken)
    {
        var body = await context.StepAsync("render", token => mailer.RenderAsync(context.Args, token), cancellationToken);
        await context.StepAsync("send", token => mailer.SendAsync(context.Args.To, body, token), cancellationToken);
    }
}

public interface IMailer
{
    Task<string> RenderAsync(SendMail mail, CancellationToken cancellationToken);

    Task SendAsync(string to, string body, CancellationToken cancellationToken);
}
