using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace TaskRecovery.Configuration;

/// <summary>Binds configuration without reflection, so that it works with native AOT. An unknown name or an invalid value throws instead of
/// falling back to a default.</summary>
internal static class Settings
{
    /// <summary>Binds a section. A key that is not in <paramref name="names"/> throws an error that lists the valid names.</summary>
    /// <param name="section">The section.</param>
    /// <param name="names">The valid names, each with what reads its value.</param>
    /// <param name="problem">Says of an unknown key what is wrong with it and what to do; <see langword="null"/> for the usual
    /// words.</param>
    public static void Bind(
        IConfiguration section, Dictionary<string, Action<IConfigurationSection>> names, Func<string, string>? problem = null)
    {
        if (section is IConfigurationSection { Value: { Length: > 0 } } value)
        {
            throw Bad(value, "a section");
        }

        foreach (var child in section.GetChildren())
        {
            var name = names.Keys.FirstOrDefault(known => string.Equals(known, child.Key, StringComparison.OrdinalIgnoreCase))
                ?? throw new InvalidOperationException(
                    $"The configuration has '{child.Path}', "
                    + (problem?.Invoke(child.Key) ?? "which TaskRecovery does not know. Check its spelling, or remove it")
                    + $"; known here are {(names.Count > 0 ? string.Join(", ", names.Keys) : "none")}.");
            names[name](child);
        }
    }

    public static TimeSpan Time(IConfigurationSection section)
    {
        // TimeSpan.Parse without a format reads "24:00:00" as 24 days, because no day has 24 hours. Both read a bare number such as "20" as
        // days. Neither is ever intended.
        var isNumber = section.Value?.Contains(':', StringComparison.Ordinal) == false;
        return !isNumber && TimeSpan.TryParseExact(section.Value, "c", CultureInfo.InvariantCulture, out var value) ? value
            : throw Bad(section, "a time span such as 00:00:20, or 1.00:00:00 for a day,");
    }

    public static int Number(IConfigurationSection section)
        => int.TryParse(section.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value
            : throw Bad(section, "a whole number");

    public static bool Flag(IConfigurationSection section)
        => bool.TryParse(section.Value, out var value) ? value : throw Bad(section, "true or false");

    public static string Text(IConfigurationSection section) => section.Value ?? throw Bad(section, "a text");

    // The parser of an enumeration would also take numbers, and add those of a list of names.
    public static T Name<T>(IConfigurationSection section)
        where T : struct, Enum
        => Array.Find(Enum.GetNames<T>(), name => name.Equals(section.Value?.Trim(), StringComparison.OrdinalIgnoreCase)) is { } known
            ? Enum.Parse<T>(known)
            : throw Bad(section, string.Join(" or ", Enum.GetNames<T>()));

    private static InvalidOperationException Bad(IConfigurationSection section, string wanted)
        => new($"The configuration value '{section.Path}' is '{section.Value}', and {wanted} is wanted.");
}
