using System.Globalization;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The pauses of queues, kinds and jobs.</summary>
internal static class Pauses
{
    /// <summary>The beginning of the names of fields about a pause that is being ended.</summary>
    public const string Before = "was-";

    /// <summary>Who paused something, when and why, as part of a sentence.</summary>
    public static Markup Words(PauseInfo pause) => Html(
        $"{(pause.Actor is null ? "" : " by ")}{pause.Actor}{When(pause.Since is not null, Html($" {Shown.Ago(pause.Since)}"))}{When(
            pause.Until is not null, Html($", resumes {Shown.Ago(pause.Until)}"))}{(pause.Reason is null ? "" : $": “{pause.Reason}”")}");

    /// <summary>The pause of a queue or kind below its name; nothing if it is not paused.</summary>
    public static Markup Below(PauseInfo? pause) => pause is null ? default
        : Html($"<span class=\"sub\"><span class=\"tag warn\">paused</span>{Words(pause)}</span>");

    /// <summary>What a user may do with the pause of a queue or kind.</summary>
    /// <param name="request">The request.</param>
    /// <param name="what"><c>queues</c> or <c>kinds</c>.</param>
    /// <param name="name">The name of the queue or kind.</param>
    /// <param name="pause">Its pause; <see langword="null"/> if it is not paused.</param>
    public static Markup Actions(DashboardRequest request, string what, string name, PauseInfo? pause) => !request.Access.Operate
        ? default
        : pause is null
            ? Form(request.Href($"{what}/pause"), name, NamePlace.Of(request).Fields)
            : Ui.Act(
                request.Href($"{what}/resume"), "Resume", name, "small",
                fields: Html($"{Ui.Hidden("name", name)}{Fields(pause)}{NamePlace.Of(request).Fields}"));

    /// <summary>Fields of a resumption with the pause that it ends, so that its undo can restore the pause.</summary>
    public static Markup Fields(PauseInfo? pause)
        => Fields(Before, pause?.Reason, pause?.Until?.ToString("O", CultureInfo.InvariantCulture));

    /// <summary>Fields with the reason and the end of a pause.</summary>
    /// <param name="before">The beginning of their names: <see cref="Before"/>, or nothing if they are those of a new pause.</param>
    /// <param name="reason">Why.</param>
    /// <param name="until">Until when.</param>
    public static Markup Fields(string before, string? reason, string? until)
        => Html($"{Ui.Hidden($"{before}reason", reason ?? "")}{Ui.Hidden($"{before}until", until ?? "")}");

    /// <summary>The form that pauses something: why, and for how long.</summary>
    /// <param name="action">Where the form is sent to.</param>
    /// <param name="name">The name of what it pauses.</param>
    /// <param name="fields">More hidden fields.</param>
    public static Markup Form(string action, string name, Markup fields = default) => Html($"""
        <details class="pause"><summary>Pause<span class="hidden"> {name}</span></summary>
        <form method="post" action="{action}" class="filters">{Ui.Hidden("name", name)}{fields}
        <div class="field wide"><label>Why <input name="reason" maxlength="{Ui.MaxReason}"
            placeholder="for those who find it paused"></label></div>
        <div class="field"><label>Resume <select name="minutes"><option value="">by hand</option><option value="15">in 15
            min</option><option value="60">in 1 h</option><option value="480">in 8 h</option><option value="1440">in 24
                h</option></select></label></div>
        <button class="danger">Pause</button></form></details>
        """);
}
