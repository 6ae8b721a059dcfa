namespace TaskRecovery.Cli.Output;

/// <summary>Writes to a pipe that another program may have set to fail instead of wait while it is full, as Node.js does.</summary>
/// <param name="pipe">The pipe. Its writes report that it has no reader any more.</param>
/// <param name="waiting">The same pipe. Its writes wait until there is room, but do not report that there is no reader.</param>
internal sealed class PipeStream(Stream pipe, Stream waiting) : Stream
{
    // EAGAIN.
    private static readonly int Full = OperatingSystem.IsLinux() ? 11 : 35;

    // A write of no more than that (PIPE_BUF) is stored as a whole or not at all.
    private static readonly int MostAtOnce = OperatingSystem.IsLinux() ? 4096 : 512;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var part = buffer[..Math.Min(buffer.Length, MostAtOnce)];
            try
            {
                pipe.Write(part);
            }
            catch (IOException exception) when (exception.HResult == Full)
            {
                waiting.Write(part);
            }

            buffer = buffer[part.Length..];
        }
    }

    public override void Flush()
    {
        // Nothing is kept.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            pipe.Dispose();
            waiting.Dispose();
        }

        base.Dispose(disposing);
    }
}
