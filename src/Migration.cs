using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace TaskRecovery.Storage;

/// <summary>One numbered change of the tables, from an embedded file. Never edited after a release.</summary>
/// <param name="Version">Its number.</param>
/// <param name="Name">Its file's name without the extension.</param>
/// <param name="Text">Its statements, with what the store still puts in.</param>
/// <param name="Checksum">Of the text, whatever the line ends.</param>
/// <param name="OldestLibrary">The oldest library that works with it, so that a rolling deploy can go on.</param>
internal sealed record Migration(int Version, string Name, string Text, string Checksum, Version OldestLibrary)
{
    private const string Header = "-- oldest library: ";

    /// <summary>All that a store knows, in order.</summary>
    /// <param name="folder">How the names of their embedded files begin.</param>
    internal static IReadOnlyList<Migration> LoadAll(string folder)
    {
        var assembly = typeof(Migration).Assembly;
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(folder, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
                return Parse(Path.GetFileNameWithoutExtension(name[folder.Length..]), reader.ReadToEnd());
            })];
    }

    internal static Migration Parse(string name, string text)
    {
        var normal = text.ReplaceLineEndings("\n");
        var first = normal[..normal.IndexOf('\n', StringComparison.Ordinal)];
        if (!first.StartsWith(Header, StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"Migration {name} does not begin with '{Header}'.");
        }

        return new(
            int.Parse(name.AsSpan(0, 3), CultureInfo.InvariantCulture),
            name,
            normal,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(normal))),
            System.Version.Parse(first.AsSpan(Header.Length)));
    }
}
