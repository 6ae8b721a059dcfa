using System.Threading.Channels;

namespace TaskRecovery.PostgreSql.Tests.Samples;

// The types of the pages, as they are written there, and what they use.
[JobKind("mail.send")]
public sealed record SendMail(int OrderId);

public sealed class SendMailWorker(IMailer mailer) : IJobWorker<SendMail>
{
    public Task WorkAsync(WorkContext<SendMail> context, CancellationToken cancellationToken)
        => mailer.SendAsync(context.Args.OrderId, cancellationToken);
}

[JobKind("video.convert")]
public sealed record ConvertVideo(string Path, int Chunks);

public sealed class ConvertVideoWorker(IConverter converter) : IJobWorker<ConvertVideo>
{
    public async Task WorkAsync(WorkContext<ConvertVideo> context, CancellationToken cancellationToken)
    {
        var next = await context.GetCheckpointAsync<int>(cancellationToken);
        for (; next < context.Args.Chunks; next++)
        {
            await converter.ConvertAsync(context.Args.Path, next, cancellationToken);
            await context.SaveCheckpointAsync(next + 1, cancellationToken);
        }
    }
}

[JobKind("import")]
public sealed record Import(long FileId);

public sealed class ImportWorker(IImporter importer) : IJobWorker<Import>
{
    public Task WorkAsync(WorkContext<Import> context, CancellationToken cancellationToken)
        => importer.RunAsync(context.Args.FileId, cancellationToken);
}

[JobKind("report")]
public sealed record Report(string Name = "all");

public sealed class ReportHandler(Ran ran) : ITaskHandler<Report>
{
    public Task RunAsync(TaskContext<Report> context, CancellationToken cancellationToken) => ran.AddAsync($"report {context.Args.Name}");
}

public sealed class ReportWork(IReports reports) : IJobWorker<Report>, ITaskHandler<Report>
{
    public Task WorkAsync(WorkContext<Report> context, CancellationToken cancellationToken)
        => reports.WriteAsync(context.Args.Name, cancellationToken);

    public Task RunAsync(TaskContext<Report> context, CancellationToken cancellationToken) => WorkAsync(context, cancellationToken);
}

[JobKind("sync")]
public sealed record Sync;

public sealed class SyncHandler : ITaskHandler<Sync>
{
    public Task RunAsync(TaskContext<Sync> context, CancellationToken cancellationToken) => Task.CompletedTask;
}

[JobKind("clean")]
public sealed record Clean;

public sealed class CleanHandler : ITaskHandler<Clean>
{
    public Task RunAsync(TaskContext<Clean> context, CancellationToken cancellationToken) => Task.CompletedTask;
}

public sealed class Audit : IWorkMiddleware
{
    public Task InvokeAsync(WorkContext context, WorkDelegate next, CancellationToken cancellationToken)
        => next(context, cancellationToken);
}

public interface IMailer
{
    Task SendAsync(int orderId, CancellationToken cancellationToken);
}

public interface IConverter
{
    Task ConvertAsync(string path, int chunk, CancellationToken cancellationToken);
}

public interface IImporter
{
    Task RunAsync(long fileId, CancellationToken cancellationToken);
}

public interface IReports
{
    Task WriteAsync(string name, CancellationToken cancellationToken);
}

/// <summary>What ran, in its order.</summary>
public sealed class Ran : IMailer, IConverter, IImporter, IReports
{
    private readonly Channel<string> _done = Channel.CreateUnbounded<string>();

    public async Task AddAsync(string what) => await _done.Writer.WriteAsync(what);

    public Task<string> NextAsync() => _done.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask()
        .WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);

    public Task SendAsync(int orderId, CancellationToken cancellationToken) => AddAsync($"mail {orderId}");

    public Task ConvertAsync(string path, int chunk, CancellationToken cancellationToken) => AddAsync($"{path} {chunk}");

    public Task RunAsync(long fileId, CancellationToken cancellationToken) => AddAsync($"import {fileId}");

    public Task WriteAsync(string name, CancellationToken cancellationToken) => AddAsync($"report {name}");
}
