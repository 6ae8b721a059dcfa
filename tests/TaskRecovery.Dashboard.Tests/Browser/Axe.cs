using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>Looks for barriers on a page, in both themes.</summary>
internal static class Axe
{
    // What is right needs no details, which take most of the time.
    private static readonly AxeRunOptions All = new() { ResultTypes = [ResultType.Violations] };

    // A theme changes colors only, and these are the rules about colors.
    private static readonly AxeRunOptions Colors = new()
    {
        RunOnly = RunOnlyOptions.Rules("color-contrast", "link-in-text-block"),
        ResultTypes = [ResultType.Violations],
    };

    /// <summary>Adds what axe finds on the page that the visitor is on.</summary>
    public static async Task FindAsync(Visitor visitor, string path, List<string> found)
    {
        await FindAsync(visitor, $"{path} light", All, found);
        await visitor.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Dark });
        await FindAsync(visitor, $"{path} dark", Colors, found);
        await visitor.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light });
    }

    // The other way opens a second page for each run and loads axe there again, for frames of other sites. Our pages have no frames.
    private static async Task FindAsync(Visitor visitor, string what, AxeRunOptions rules, List<string> found)
    {
#pragma warning disable CS0618
        var result = await visitor.Page.RunAxeLegacy(options: rules);
#pragma warning restore CS0618
        found.AddRange(result.Violations.Select(
            violation => $"{what}: {violation.Id} {string.Join(" | ", violation.Nodes.Take(3).Select(static node => node.Html))}"));
    }
}
