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

    /// <summary>A new folder for each demo; else the same one for every start of the sample, which is the user's own: in a folder for
    /// temporary files another user could create one of this name first.</summary>
    public static string DefaultData(bool isDemo)
    {
        var own = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return isDemo || own.Length == 0
            ? Directory.CreateTempSubdirectory("taskrecovery-demo-").FullName
            : Path.Combine(own, "taskrecovery-sample");
    }

    /// <summary>Creates a folder that only this user can read.</summary>
    public static string Create(string folder)
        => OperatingSystem.IsWindows()
            ? Directory.CreateDirectory(folder).FullName
            : Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
}
