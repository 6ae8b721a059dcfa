namespace TaskRecovery.Tests.Support;

/// <summary>What happened, in order.</summary>
internal sealed class Journal
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    public void Add(string line)
    {
        lock (_lines)
        {
            _lines.Add(line);
        }
    }
}

internal sealed class OuterMiddleware(Journal journal) : IWorkMiddleware
{
    public async Task InvokeAsync(WorkContext context, WorkDelegate next, CancellationToken cancellationToken)
    {
        journal.Add("outer before");
        await next(context, cancellationToken);
        journal.Add("outer after");
    }
}

internal sealed class InnerMiddleware(Journal journal) : IWorkMiddleware
{
    public async Task InvokeAsync(WorkContext context, WorkDelegate next, CancellationToken cancellationToken)
    {
        journal.Add("inner before");
        await next(context, cancellationToken);
        journal.Add("inner after");
    }
}
