using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TaskRecovery.Dashboard.Diagnostics;
using TaskRecovery.Dashboard.Pages;
using TaskRecovery.Dashboard.Security;

namespace TaskRecovery.Dashboard.Hosting;

/// <summary>Sends the arguments or the result of an entry as a file.</summary>
internal sealed class EntryDownload(Reads reads, DataView data, ILogger<EntryDownload> logger)
{
    public async Task SendAsync(DashboardRequest request, DashboardPart part)
    {
        var response = request.Context.Response;
        var id = request.Id;
        if (!request.Access.Data)
        {
            response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }

        var life = await reads.LifeAsync(request, id).ConfigureAwait(false);
        var stored = part == DashboardPart.Args ? life?.Entry.Args : life?.Entry.Result;
        if (life is null || stored is null || data.Read(request, new DashboardText(part, life.Entry.Kind, null, stored)) is not { } text)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        Log.DataOpened(logger, request.Access.User, $"entry {id}");
        var name = part == DashboardPart.Args ? "args" : "result";
        SecurityHeaders.ApplyDownload(response, $"entry-{id}-{name}.json");
        response.ContentType = "application/json; charset=utf-8";
        await response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), request.Aborted).ConfigureAwait(false);
    }
}
