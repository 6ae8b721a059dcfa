namespace TaskRecovery.Benchmarks.Children;

/// <summary>Programs of this repository that are built together with the benchmarks.</summary>
internal static class SiblingProgram
{
    /// <summary>The assembly of a project, from the build that these benchmarks are of.</summary>
    /// <param name="folder">The project's folder in the repository.</param>
    /// <param name="assembly">The assembly's name.</param>
    public static string Find(string folder, string assembly)
    {
        // bin, configuration, framework
        var build = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var root = build.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
        var path = Path.Combine(root, folder, "bin", build.Parent.Name, build.Name, assembly + ".dll");
        return File.Exists(path) ? path : throw new FileNotFoundException("Build this project first.", path);
    }
}
