using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Dashboard.Diagnostics;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using TaskRecovery.Dashboard.Security;
using TaskRecovery.Storage;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The only way by which the application's data reach a page: through the right to see them and the redactor.</summary>
internal sealed class DataView(IOptions<DashboardOptions> options, ILogger<DataView> logger, IPayloadReader? payloads = null)
{
    /// <summary>The text as the user may see it; <see langword="null"/> if it is hidden.</summary>
    public string? Read(DashboardRequest request, DashboardText text)
    {
        if (!request.Access.Data)
        {
            return null;
        }

        var decoded = Decode(text);
        if (options.Value.Redact is not { } redact)
        {
            return decoded ?? text.Text;
        }

        // In an encoded text, a redactor does not find what it hides.
        if (decoded is null)
        {
            return null;
        }

        text = text with { Text = decoded, Kind = KindOf(text.Kind) };
        if (IsJson(text.Part))
        {
            text = text with { Text = JsonEscapes.Remove(text.Text) };
        }

        try
        {
            return redact(text);
        }
#pragma warning disable CA1031 // Whatever the redactor throws: what it would have hidden stays hidden.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Log.RedactorFailed(logger, failure);
            return null;
        }
    }

    public Markup Plain(DashboardRequest request, DashboardText text)
        => Read(request, text) is { } shown ? Html($"{shown}") : Hidden(request);

    public Markup Json(DashboardRequest request, DashboardText text)
        => Read(request, text) is { } shown ? JsonMarkup.Render(shown) : Hidden(request);

    public Markup Lines(DashboardRequest request, DashboardText text)
        => Read(request, text) is { } shown ? Html($"<pre tabindex=\"0\">{shown}</pre>") : Hidden(request);

    // Null if the payload is encoded and this process can't decode it, for example because it does not have the codec.
    private string? Decode(DashboardText text)
    {
        if (!IsJson(text.Part))
        {
            return text.Text;
        }

        try
        {
            return payloads is not null ? payloads.Read(text.Text)
                : text.Text.StartsWith("\"$codec:", StringComparison.Ordinal) ? null
                : text.Text;
        }
        catch (PayloadException)
        {
            return null;
        }
    }

    private static bool IsJson(DashboardPart part) => part <= DashboardPart.Checkpoint;

    // A redactor sees the kind of the job for a job and for the entries of its runs.
    private static string? KindOf(string? kind) => kind is null ? null : TaskEntryKind.TaskKindOf(kind);

    public static Markup Hidden(DashboardRequest request)
        => Html($"<span class=\"muted\">{Icon.Of("lock")} {(request.Access.Data
            ? "hidden by the redactor"
            : "hidden: you may not see data")}</span>");
}
