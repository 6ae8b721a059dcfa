namespace TaskRecovery.WebSample;

/// <summary>Resizes a picture.</summary>
internal sealed class ResizePictureWorker(Gateway gateway) : IJobWorker<ResizePicture>
{
    public async Task WorkAsync(WorkContext<ResizePicture> context, CancellationToken cancellationToken)
    {
        await gateway.CallAsync("The picture store", 900, 1, cancellationToken);
        context.SetResult(new { context.Args.Product, context.Args.Width, bytes = Random.Shared.Next(20_000, 90_000) });
    }
}
