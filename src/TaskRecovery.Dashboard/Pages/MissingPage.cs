using Microsoft.AspNetCore.Http;
using TaskRecovery.Dashboard.Rendering;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>A page for a thing that does not exist.</summary>
internal static class MissingPage
{
    public static Page Of(Section section, string title, string what, string why)
        => new(title, section, Ui.Card(what, Ui.Empty("search", "Not found", why))) { Status = StatusCodes.Status404NotFound };
}
