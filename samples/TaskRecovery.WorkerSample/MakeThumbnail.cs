using Microsoft.Extensions.Logging;

namespace TaskRecovery.WorkerSample;

/// <summary>One image to make smaller.</summary>
[JobKind("thumbnails.make")]
internal sealed record MakeThumbnail(string Image);

/// <summary>Makes one image smaller.</summary>
internal sealed partial class MakeThumbnailWorker(ILogger<MakeThumbnailWorker> logger, TimeProvider time) : IJobWorker<MakeThumbnail>
{
    public async Task WorkAsync(WorkContext<MakeThumbnail> context, CancellationToken cancellationToken)
    {
        var pixels = await context.StepAsync("read", token => ReadAsync(context.Args.Image, token), cancellationToken);
        await context.StepAsync("shrink", token => Task.Delay(TimeSpan.FromMilliseconds(pixels / 10_000), time, token), cancellationToken);
        LogMade(logger, context.Args.Image, context.EntryId);
    }

    private async Task<int> ReadAsync(string image, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellationToken);
        return image.Length * 100_000;
    }

    [LoggerMessage(1, LogLevel.Information, "Made a thumbnail of {Image} (entry {Entry})")]
    private static partial void LogMade(ILogger logger, string image, long entry);
}
