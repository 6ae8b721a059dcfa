using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Rendering;

/// <summary>Pieces that several pages use.</summary>
internal static class Ui
{
    /// <summary>The most characters of a reason that a form takes.</summary>
    public const int MaxReason = 500;

    private const int MaxName = 72;

    /// <summary>What is shown for nothing.</summary>
    public static Markup None => Html($"<span class=\"muted\">–</span>");

    /// <summary>A stored name, isolated from the direction of the text around it. The middle of a very long one is left to its
    /// title.</summary>
    public static Markup Name(string? name) => name is { Length: > MaxName }
        ? Html($"<bdi title=\"{name}\">{name[..(MaxName - 24)]}…{name[^20..]}</bdi>")
        : Html($"<bdi>{name}</bdi>");

    /// <summary>A state as icon, word and color.</summary>
    public static Markup State(string style, string word) => Html($"<span class=\"state {style}\">{Icon.Of(style)}{word}</span>");

    public static Markup State(EntrySummary entry, DateTimeOffset now)
        => State(entry.State, entry.RunAt, now);

    public static Markup State(EntryState state, DateTimeOffset? runAt, DateTimeOffset now) => state switch
    {
        EntryState.Waiting when runAt > now => State("later", "Later"),
        EntryState.Waiting => State("waiting", "Due"),
        EntryState.Running => State("running", "Running"),
        EntryState.Completed => State("completed", "Completed"),
        EntryState.Failed => State("failed", "Failed"),
        _ => State("cancelled", "Cancelled"),
    };

    public static Markup State(TaskState state) => state switch
    {
        TaskState.Created => State("waiting", "Waiting"),
        TaskState.Running => State("running", "Running"),
        TaskState.Completed => State("completed", "Completed"),
        TaskState.Failed => State("failed", "Failed"),
        _ => State("cancelled", "Cancelled"),
    };

    public static Markup State(NodeState state) => state switch
    {
        NodeState.Alive => State("completed", "Alive"),
        NodeState.Silent => State("lost", "Silent"),
        NodeState.Dead => State("failed", "Dead"),
        _ => State("cancelled", "Left"),
    };

    /// <summary>How often nodes died with an entry, if they did.</summary>
    public static Markup Crashes(int count)
        => When(count > 0, Html($" <span class=\"tag warn\">{Shown.Many(count, "crash", "crashes")}</span>"));

    /// <summary>A code such as <c>crash_loop</c> as words.</summary>
    public static string Words(string code) => code.Replace('_', ' ');

    public static Markup Empty(string icon, string title, string text)
        => Html($"<div class=\"empty\">{Icon.Of(icon)}<strong>{title}</strong><p>{text}</p></div>");

    public static Markup Card(string title, Markup content, Markup beside = default, Markup footer = default) => Html($"""
        <section class="card"><header><h2>{title}</h2>{beside}</header>{content}{When(
            !footer.IsEmpty, Html($"<footer>{footer}</footer>"))}</section>
        """);

    public static Markup Body(Markup content) => Html($"<div class=\"body\">{content}</div>");

    public static Markup Fact(string name, Markup value)
        => value.IsEmpty ? default : Html($"<div><dt>{name}</dt><dd>{value}</dd></div>");

    public static Markup Text(string? text) => string.IsNullOrEmpty(text) ? default : Html($"{text}");

    public static Markup Notice(string tone, string icon, Markup text, Markup action = default)
        => Html($"<div class=\"notice {tone}\">{Icon.Of(icon)}<div>{text}</div>{action}</div>");

    /// <summary>Links of which one is the current one.</summary>
    public static Markup Tabs(string name, IEnumerable<(string Href, Markup Text, bool IsCurrent)> tabs) => Html($"""
        <nav class="tabs" aria-label="{name}">{Each(tabs, tab =>
            Html($"<a href=\"{tab.Href}\"{When(tab.IsCurrent, Html($" aria-current=\"true\""))}>{tab.Text}</a>"))}</nav>
        """);

    /// <summary>A form with one button.</summary>
    public static Markup Button(string action, string text, string style = "", Markup fields = default) => Html($"""
        <form method="post" action="{action}">{fields}<button class="{style}">{text}</button></form>
        """);

    /// <summary>As <see cref="Button"/>, with a folded field for the reason, which the record of the action shows.</summary>
    /// <param name="action">The address.</param>
    /// <param name="text">The word on the button.</param>
    /// <param name="of">What it acts on, for those who can't see where the button is.</param>
    /// <param name="style">The class of the button.</param>
    /// <param name="act">The key that presses it.</param>
    /// <param name="fields">Further fields.</param>
    public static Markup Act(
        string action, string text, string of, string style = "", string? act = null, Markup fields = default) => Html($"""
        <form method="post" action="{action}" class="act">{fields}<button
            class="{style}"{(act is null ? default : Html($" data-act=\"{act}\""))}>{text}</button>{Why($"{text} {of}", style)}</form>
        """);

    /// <summary>The folded field for a reason, to the right of a button.</summary>
    public static Markup Why(string what, string style = "") => Html($"""
        <details class="why {style}"><summary title="Say why"><span class="hidden">Say why: {what}</span></summary><label>Why, if you
            like <input name="reason" maxlength="{MaxReason}" autocomplete="off"></label></details>
        """);

    public static Markup Hidden(string name, string value) => Html($"<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
}
