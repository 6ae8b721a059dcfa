namespace TaskRecovery.Sqlite;

/// <summary>A file that stays open as long as its path names it, because opening it for each use would be most of the cost of an idle
/// node. Not thread-safe.</summary>
/// <param name="path">The path.</param>
/// <param name="open">Opens the file; <see langword="null"/> if it can't be opened.</param>
internal sealed class KeptFile<T>(string path, Func<string, T?> open) : IDisposable
    where T : class, IDisposable
{
    private readonly byte[] _path = FileFacts.ToBytes(path);
    private T? _file;
    private FileFacts? _facts;

    /// <summary>Returns the file that the path names now.</summary>
    /// <returns><see langword="null"/> if it can't be opened.</returns>
    public T? Open()
    {
        var before = FileFacts.Read(_path);
        if (_file is { } kept && IsSame(before, _facts))
        {
            return kept;
        }

        Dispose();
        _file = open(path);

        // If the path was reassigned meanwhile, it is unknown which file was opened, so the next use opens it again.
        _facts = FileFacts.Read(_path) is { } after && IsSame(before, after) ? after : null;
        return _file;
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
        _facts = null;
    }

    private static bool IsSame(FileFacts? one, FileFacts? other) => one is { } first && other is { } second && first.IsSameFile(second);
}
