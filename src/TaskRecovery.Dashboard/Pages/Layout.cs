using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The frame of every page: head, navigation, title, search and the list of keys.</summary>
internal sealed class Layout(Assets assets, EnvironmentBadge environment)
{
    private static readonly (Section Section, string Path, string Name, string Icon, string Key, bool Gap)[] Places =
    [
        (Section.Overview, "", "Overview", "overview", "o", false),
        (Section.Queues, "queues", "Queues", "queues", "q", true),
        (Section.Entries, "entries", "Entries", "entries", "e", false),
        (Section.Kinds, "kinds", "Kinds", "kinds", "k", false),
        (Section.Jobs, "jobs", "Jobs", "jobs", "j", true),
        (Section.Tasks, "tasks", "Tasks", "tasks", "t", false),
        (Section.Nodes, "nodes", "Nodes", "nodes", "n", true),
        (Section.Events, "events", "Events", "events", "v", false),
        (Section.Operations, "operations", "Operations", "operations", "p", false),
        (Section.About, "about", "About", "about", "a", true),
    ];

    public Markup Render(Page page, DashboardRequest request, QueueSnapshot? snapshot, Markup toast)
        => Document(request.Root, page.Title, Html($"""
        <a class="skip" href="#main">Skip to the content</a>
        <header class="side">
        <a class="brand" href="{request.Root}"><img src="{request.Href("-/" + assets.Icon.Name)}" alt="" width="24"
            height="24">TaskRecovery</a>
        {environment.Render()}
        <nav aria-label="Pages"><ul>{Each(Places, place => Place(place, page.Section, request, snapshot))}</ul></nav>
        <div class="foot">
        <p>{(request.Access.Operate ? "" : "Read-only. ")}{request.Access.User}</p>
        <button type="button" class="plain small theme script-only">Theme: system</button>
        </div>
        </header>
        <main id="main" tabindex="-1" data-live="{(page.Live is { } live ? (int)live.TotalMilliseconds : 0)}">
        <div class="top">
        <div class="title">{When(!page.Crumb.IsEmpty, Html($"<p class=\"crumb\">{page.Crumb}</p>"))}<h1>{Heading(page)}</h1></div>
        <div class="tools">{page.Tools}<span class="live still script-only" role="status"
            aria-live="off">{(page.Live is null ? "not live" : "live")}</span>
        <form class="find" action="{request.Href("search")}" role="search"><label class="hidden" for="find">Find an entry, task, job or
            trace</label>{Icon.Of("search")}
        <input id="find" name="q" type="search" placeholder="Find an id or a name" autocomplete="off" maxlength="200"></form></div>
        </div>
        {page.Content}
        </main>
        {toast}
        {Keys()}
        {Icon.Sprite()}
        """));

    private Markup Document(string root, string title, Markup body) => Html($"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <title>{title} · {(environment.Instance is { } instance ? $"{instance} · " : "")}TaskRecovery</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="robots" content="noindex">
        <link rel="icon" href="{root}-/{assets.Icon.Name}" type="image/svg+xml">
        <script src="{root}-/{assets.Script.Name}"></script>
        <link rel="stylesheet" href="{root}-/{assets.Style.Name}">
        </head>
        <body>
        {body}
        </body>
        </html>

        """);

    private static Markup Heading(Page page) => page.Heading.IsEmpty ? Html($"{page.Title}") : page.Heading;

    private static Markup Place(
        (Section Section, string Path, string Name, string Icon, string Key, bool Gap) place,
        Section current, DashboardRequest request, QueueSnapshot? snapshot)
    {
        var tally = snapshot is null ? default : Tally(place.Section, snapshot);
        var mark = place.Section == current ? Html($" aria-current=\"page\"") : default;
        return Html($"""
            <li{When(place.Gap, Html($" class=\"gap\""))}><a href="{request.Href(place.Path)}"
                data-go="{place.Key}"{mark}>{Icon.Of(place.Icon)}<span>{place.Name}</span>{tally}</a></li>

            """);
    }

    private static Markup Tally(Section section, QueueSnapshot snapshot) => section switch
    {
        Section.Entries when snapshot.Failed.Value > 0 => Html(
            $"<span class=\"tally bad\">{Shown.Short(snapshot.Failed)} <span class=\"hidden\">failed</span></span>"),
        Section.Queues when snapshot.Queues.Count(queue => queue.Pause is not null) is > 0 and var paused => Html(
            $"<span class=\"tally bad\">{paused} paused</span>"),
        _ => default,
    };

    private static Markup Keys() => Html($"""
        <dialog id="keys" aria-labelledby="keys-title">
        <h2 id="keys-title">Keys</h2>
        <dl class="keys">
        <dt><kbd>/</kbd></dt><dd>find</dd>
        <dt><kbd>g</kbd> <kbd>o</kbd></dt><dd>overview; <kbd>q</kbd> queues, <kbd>e</kbd> entries, <kbd>k</kbd> kinds, <kbd>j</kbd> jobs,
            <kbd>t</kbd> tasks, <kbd>n</kbd> nodes, <kbd>v</kbd> events, <kbd>p</kbd> operations,
            <kbd>a</kbd> about</dd>
        <dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>next and previous row</dd>
        <dt><kbd>Enter</kbd></dt><dd>open the row</dd>
        <dt><kbd>x</kbd></dt><dd>select the row</dd>
        <dt><kbd>r</kbd> <kbd>c</kbd></dt><dd>retry, cancel</dd>
        </dl>
        <button type="button" data-close>Close</button>
        </dialog>
        """);
}
