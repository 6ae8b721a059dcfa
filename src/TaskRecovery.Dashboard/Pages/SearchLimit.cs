namespace TaskRecovery.Dashboard.Pages;

/// <summary>Lets each user run one expensive search at a time, so that a row of impatient clicks does not load the database.</summary>
internal sealed class SearchLimit
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _searching = new(StringComparer.Ordinal);

    /// <summary>Begins a search, which ends when the result is disposed.</summary>
    /// <exception cref="SearchRunningException">The user's earlier search still runs.</exception>
    public IDisposable Begin(string user)
    {
        lock (_lock)
        {
            return _searching.Add(user) ? new Turn(this, user) : throw new SearchRunningException();
        }
    }

    private sealed class Turn(SearchLimit limit, string user) : IDisposable
    {
        public void Dispose()
        {
            lock (limit._lock)
            {
                limit._searching.Remove(user);
            }
        }
    }
}
