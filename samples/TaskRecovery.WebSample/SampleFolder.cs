namespace TaskRecovery.WebSample;

/// <summary>The folder of the SQLite file.</summary>
internal static class SampleFolder
{
    /// <summary>The same folder for every start, which is the user's own: in a folder for temporary files another user could create one of
    /// this name first, and read the orders. Without such a place, a new one.</summary>
    public static string Default()
    {
        var own = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return own.Length == 0
            ? Directory.CreateTempSubdirectory("taskrecovery-shop-").FullName
            : Path.Combine(own, "taskrecovery-shop");
    }

    /// <summary>Creates a folder that only this user can read.</summary>
    public static string Create(string folder)
        => OperatingSystem.IsWindows()
            ? Directory.CreateDirectory(folder).FullName
            : Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
}
