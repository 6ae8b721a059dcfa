namespace TaskRecovery.SampleHost;

/// <summary>Finds places that the command line did not name.</summary>
internal static class SampleFolders
{
    /// <summary>The nearest <c>docs</c> folder with Markdown in it, from here upwards, then from the program upwards.</summary>
    public static string FindDocs()
    {
        foreach (var start in new[] { Directory.GetCurrentDirectory(), AppContext.BaseDirectory })
        {
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                var docs = Path.Combine(folder.FullName, "docs");
                if (Directory.Exists(docs) && Directory.EnumerateFiles(docs, "*.md").Any())
                {
                    return docs;
                }
            }
        }

        return Directory.GetCurrentDirectory();
    }

    /// <summary>A folder for temporary files: the same one for every start of the sample, a new one for each demo.</summary>
    public static string DefaultData(bool isDemo) => isDemo
        ? Directory.CreateTempSubdirectory("taskrecovery-demo-").FullName
        : Path.Combine(Path.GetTempPath(), "taskrecovery-sample");
}
