namespace TaskRecovery.Cli.Tests;

/// <summary>A stream of the tool that does something when a text is written to it.</summary>
internal sealed class WatchedWriter : StringWriter
{
    private readonly Lock _lock = new();
    private readonly List<(string Text, Action Action)> _watches = [];

    public WatchedWriter() => NewLine = "\n";

    /// <summary>Does something each time a line contains a text.</summary>
    public WatchedWriter On(string text, Action action)
    {
        lock (_lock)
        {
            _watches.Add((text, action));
        }

        return this;
    }

    /// <summary>Waits for a line that contains a text and is written after this call.</summary>
    public Task WaitForAsync(string text)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        On(text, () => written.TrySetResult());
        return written.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    public override void WriteLine(string? value)
    {
        base.WriteLine(value);
        Action[] actions;
        lock (_lock)
        {
            actions =
                [.. _watches.Where(watch => value?.Contains(watch.Text, StringComparison.Ordinal) == true).Select(watch => watch.Action)];
        }

        foreach (var action in actions)
        {
            action();
        }
    }
}
