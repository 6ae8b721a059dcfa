using TaskRecovery.TestSupport;

namespace TaskRecovery.Tests.HouseStyle;

/// <summary>The files of this repository, as the house style tests see them.</summary>
internal static class Repository
{
    private static readonly string[] Generated = ["bin", "obj", "artifacts", "TestResults"];

    public static string Root => RepositoryFolder.Root;

    /// <summary>The files with this extension under one of the top folders, without what the build made.</summary>
    public static IEnumerable<string> Files(string top, string pattern) =>
        Directory.EnumerateFiles(Path.Combine(Root, top), pattern, SearchOption.AllDirectories)
            .Where(file => !Relative(file).Split('/').Any(Generated.Contains))
            .Order(StringComparer.Ordinal);

    public static IEnumerable<string> Code(params string[] tops) => tops.SelectMany(top => Files(top, "*.cs"));

    /// <summary>The path as it is written in messages: from the root, with slashes.</summary>
    public static string Relative(string file) => Path.GetRelativePath(Root, file).Replace('\\', '/');
}
