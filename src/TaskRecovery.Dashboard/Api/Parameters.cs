using System.Globalization;
using TaskRecovery.Dashboard.Actions;
using TaskRecovery.Dashboard.Hosting;

namespace TaskRecovery.Dashboard.Api;

/// <summary>The parameters of one question of the API. One that does not exist or can't be read is refused: if it were ignored, the answer
/// would contain more than was asked for.</summary>
internal sealed class Parameters(string[] names)
{
    private const int MaxLimit = 1_000;

    public IReadOnlyList<string> Names => names;

    /// <exception cref="InvalidInputException">The request has a parameter that does not exist.</exception>
    public void Check(DashboardRequest request)
    {
        var unknown = request.Context.Request.Query.Keys.FirstOrDefault(name => !names.Contains(name, StringComparer.OrdinalIgnoreCase));
        if (unknown is not null)
        {
            throw new InvalidInputException($"'{InvalidInputException.Shown(unknown)}' is not a condition. {(names.Length == 0
                ? "Use none."
                : $"Use {string.Join(", ", names)}.")}");
        }
    }

    /// <summary>A number, a time, an id or a word, without the white space around it.</summary>
    public static string? Text(DashboardRequest request, string name) => request.Query(name) ?? Absent(request, name);

    /// <summary>A stored name exactly as it is, with the white space around it.</summary>
    public static string? Name(DashboardRequest request, string name) => request.Exact(name) ?? Absent(request, name);

    public static long? Number(DashboardRequest request, string name)
        => Text(request, name) is not { } text ? null : DashboardRequest.Whole(text) ?? throw Unreadable(name, text, "a whole number");

    /// <summary>A whole number within two bounds.</summary>
    public static int? Between(DashboardRequest request, string name, int least, int most)
        => Number(request, name) is not { } number ? null
            : number >= least && number <= most ? (int)number
            : throw Unreadable(name, number.ToString(CultureInfo.InvariantCulture), $"{least:N0} to {most:N0}");

    /// <summary>How many rows a page has at most; <see langword="null"/> for as many as usual.</summary>
    public static int? Limit(DashboardRequest request) => Between(request, "limit", 1, MaxLimit);

    public static DateTimeOffset? Time(DashboardRequest request, string name)
        => Text(request, name) is not { } text ? null : DashboardRequest.Time(text)
            ?? throw Unreadable(name, text, "a time such as 2026-11-29T12:30Z; without an offset it is UTC");

    public static bool Flag(DashboardRequest request, string name)
        => Text(request, name) is { } text && (bool.TryParse(text, out var value) ? value : throw Unreadable(name, text, "true or false"));

    public static Guid? Id(DashboardRequest request, string name)
        => Text(request, name) is not { } text ? null : Guid.TryParse(text, out var id) ? id : throw Unreadable(name, text, "a UUID");

    /// <summary>A name of an enumeration, in any case. Its parser would also take numbers, and add those of a list of names.</summary>
    public static T? Choice<T>(DashboardRequest request, string name)
        where T : struct, Enum
        => Text(request, name) is not { } text ? null
            : Array.Find(Enum.GetNames<T>(), name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } known
                ? Enum.Parse<T>(known)
            : throw Unreadable(name, text, string.Join(" or ", Enum.GetNames<T>()).ToLowerInvariant());

    private static string? Absent(DashboardRequest request, string name)
        => string.IsNullOrWhiteSpace(request.Context.Request.Query[name].ToString())
            ? null
            : throw new InvalidInputException($"The condition '{name}' is too long or has a NUL character.");

    private static InvalidInputException Unreadable(string name, string text, string allowed)
        => InvalidInputException.Of(name, text, allowed);
}
