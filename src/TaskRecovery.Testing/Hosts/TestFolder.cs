namespace TaskRecovery.Testing.Hosts;

/// <summary>A temporary folder with the database of one host. Deleted with the host.</summary>
internal sealed class TestFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("taskrecovery-test-");

    public string DatabasePath => Path.Combine(_folder.FullName, "queue.db");

    public void Dispose()
    {
        try
        {
            _folder.Delete(recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A handler that was killed by its test may still use the file; the operating system cleans its temporary folder.
        }
    }
}
