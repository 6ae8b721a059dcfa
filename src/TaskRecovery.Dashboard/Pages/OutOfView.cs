using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The page of something that is about more than the part of the system that the user sees.</summary>
internal static class OutOfView
{
    public static Page Of(Section section, string title) => new(title, section, Ui.Card(title, Ui.Empty(
        "lock", "Not in your view", "You see a part of the entries, and this page is about all of them.")));
}
