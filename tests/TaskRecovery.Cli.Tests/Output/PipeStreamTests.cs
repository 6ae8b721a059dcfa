using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Tests.Output;

/// <summary>A pipe that is full loses nothing of what is written, and one without a reader is reported.</summary>
public sealed class PipeStreamTests
{
    private static readonly int Full = OperatingSystem.IsLinux() ? 11 : 35;

    [Fact]
    public void What_a_full_pipe_refuses_is_written_by_the_stream_that_waits()
    {
        var text = new byte[20_000];
        Random.Shared.NextBytes(text);
        using var written = new MemoryStream();
        using var pipe = new FailingStream(written, every: 2, Full);
        using var stream = new PipeStream(pipe, written);

        stream.Write(text);

        Assert.Equal(text, written.ToArray());
        Assert.True(pipe.Failures > 1);
    }

    [Fact]
    public void A_pipe_without_a_reader_is_an_error()
    {
        const int broken = 32;
        using var written = new MemoryStream();
        using var pipe = new FailingStream(written, every: 1, broken);
        using var stream = new PipeStream(pipe, written);

        Assert.Equal(broken, Assert.Throws<IOException>(() => stream.Write([1])).HResult);
        Assert.Equal(0, written.Length);
    }

    /// <summary>Fails without having written anything, again and again.</summary>
    private sealed class FailingStream(Stream written, int every, int error) : MemoryStream
    {
        private int _writes;

        public int Failures { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (++_writes % every == 0)
            {
                Failures++;
                throw new IOException("The pipe failed.", error);
            }

            written.Write(buffer);
        }
    }
}
