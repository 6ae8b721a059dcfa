namespace TaskRecovery.TestSupport;

/// <summary>Where this repository is, for tests that read its pages and programs.</summary>
public static class RepositoryFolder
{
    /// <summary>The folder with the solution.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "TaskRecovery.Library.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName
            ?? throw new InvalidOperationException($"There is no TaskRecovery.Library.sln above {AppContext.BaseDirectory}.");
    }
}
