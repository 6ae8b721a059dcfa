namespace TaskRecovery.WebSample;

/// <summary>The standard input of the shop. Its supervisor writes nothing to it; it ends when the supervisor does, however that
/// happens.</summary>
internal static class ParentPipe
{
    /// <summary>A token that is cancelled when the input ends, or with another token.</summary>
    public static CancellationToken Watch(CancellationToken other)
    {
        var ended = CancellationTokenSource.CreateLinkedTokenSource(other);
        new Thread(() =>
        {
            using var input = Console.OpenStandardInput();
            while (input.ReadByte() >= 0)
            {
            }

            ended.Cancel();
        })
        {
            IsBackground = true,
            Name = "parent pipe",
        }.Start();
        return ended.Token;
    }
}
