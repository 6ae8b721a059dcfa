using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>Who paused something, when and why, as part of a sentence.</summary>
internal static class Pauses
{
    public static Markup Words(PauseInfo pause) => Html(
        $"{(pause.Actor is null ? "" : " by ")}{pause.Actor}{When(pause.Since is not null, Html($" {Shown.Ago(pause.Since)}"))}{When(
            pause.Until is not null, Html($", resumes {Shown.Ago(pause.Until)}"))}{(pause.Reason is null ? "" : $": “{pause.Reason}”")}");

    /// <summary>The form that pauses something: why, and for how long.</summary>
    public static Markup Form(string action, string name) => Html($"""
        <details class="pause"><summary>Pause<span class="hidden"> {name}</span></summary>
        <form method="post" action="{action}" class="filters">{Ui.Hidden("name", name)}
        <div class="field wide"><label>Why <input name="reason" maxlength="{Ui.MaxReason}"
            placeholder="for those who find it paused"></label></div>
        <div class="field"><label>Resume <select name="minutes"><option value="">by hand</option><option value="15">in 15
            min</option><option value="60">in 1 h</option><option value="480">in 8 h</option><option value="1440">in 24
                h</option></select></label></div>
        <button class="danger">Pause</button></form></details>
        """);
}
