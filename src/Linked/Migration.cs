using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace TaskRecovery.Storage;

/// <summary>A numbered schema migration, read from an embedded file. A migration is never edited after its release.</summary>
/// <param name="Version">The number, which is also the order.</param>
/// <param name="Name">The file name without its extension.</param>
/// <param name="Text">The SQL statements, with placeholders that the store replaces.</param>
/// <param name="Checksum">The SHA-256 of the text in lower-case hex. Line endings are normalized first.</param>
/// <param name="OldestLibrary">The oldest library version that works with the migrated schema: instances from that version on keep running
/// during a rolling deployment.</param>
internal sealed record Migration(int Version, string Name, string Text, string Checksum, Version OldestLibrary)
{
    private const string Header = "-- oldest library: ";

    /// <summary>Loads all migrations of a store, in ascending order.</summary>
    /// <param name="folder">The prefix of the embedded resource names.</param>
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
