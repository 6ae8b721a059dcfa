namespace TaskRecovery.WorkerSample;

/// <summary>A folder to look for images in.</summary>
[JobKind("thumbnails.find")]
internal sealed record FindImages(string Folder);

/// <summary>Enqueues an entry for each new image. The unique key keeps an image that still waits from being enqueued twice.</summary>
internal sealed class FindImagesHandler(IJobQueue queue) : ITaskHandler<FindImages>
{
    public async Task RunAsync(TaskContext<FindImages> context, CancellationToken cancellationToken)
    {
        var images = Enumerable.Range(1, 3).Select(number => $"{context.Args.Folder}/{number}.jpg");
        await queue.EnqueueManyAsync(
            images.Select(static image => EnqueueRequest.Create(
                new MakeThumbnail(image), new EnqueueOptions { Queue = "thumbnails", UniqueKey = image })),
            cancellationToken: cancellationToken);
    }
}
