using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>Which of the queues or kinds a page shows. A form carries it, so that its action leads back to the same rows.</summary>
/// <param name="Text">What the names contain.</param>
/// <param name="Only">The key of a <see cref="NameFilter{T}"/>.</param>
/// <param name="After">The name before the first one.</param>
internal sealed record NamePlace(string? Text = null, string? Only = null, string? After = null)
{
    // Actions have fields of their own.
    private const string Before = "at-";

    /// <summary>The place in the address of a page.</summary>
    public static NamePlace Of(DashboardRequest request) => new(request.Exact("text"), request.Exact("only"), request.Exact("after"));

    /// <summary>The place in a form of a page.</summary>
    public static NamePlace OfForm(DashboardRequest request)
        => new(request.Field($"{Before}text"), request.Field($"{Before}only"), request.Field($"{Before}after"));

    /// <summary>The hidden fields of a form.</summary>
    public Markup Fields
        => Html($"{Each(Given, static one => Ui.Hidden($"{Before}{one.Name}", one.Value))}");

    /// <summary>The address of the place, below the root.</summary>
    /// <param name="path">The page: <c>queues</c> or <c>kinds</c>.</param>
    public string Address(string path)
    {
        var parameters = string.Join('&', Given.Select(static one => $"{one.Name}={Uri.EscapeDataString(one.Value)}"));
        return parameters.Length == 0 ? path : $"{path}?{parameters}";
    }

    private IEnumerable<(string Name, string Value)> Given
    {
        get
        {
            foreach (var (name, value) in ((string, string?)[])[("text", Text), ("only", Only), ("after", After)])
            {
                if (value is not null)
                {
                    yield return (name, value);
                }
            }
        }
    }
}
