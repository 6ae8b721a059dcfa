using System.Reflection.Metadata;

namespace TaskRecovery.Cli.Import;

/// <summary>Names of types as other systems store them.</summary>
internal static class TypeText
{
    /// <summary>Returns the full name, without the assembly; the text itself if it can't be read.</summary>
    public static string FullNameOf(string text) => TypeName.TryParse(text, out var name) ? name.FullName : text;
}
