using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TaskRecovery.Dashboard.Actions;
using TaskRecovery.Dashboard.Diagnostics;
using TaskRecovery.Dashboard.Pages;
using TaskRecovery.Dashboard.Security;

namespace TaskRecovery.Dashboard.Hosting;

/// <summary>Failures that a user can understand. The texts of exceptions stay in the log, unless they are about the user's own
/// input.</summary>
internal static class Failures
{
    public static Refusal? Explain(Exception failure) => failure switch
    {
        UnconfirmedException unconfirmed => new(
            unconfirmed.InnerException is TimeoutException ? StatusCodes.Status504GatewayTimeout : StatusCodes.Status503ServiceUnavailable,
            "The database did not confirm this",
            "It is not known whether this was done. Look before you repeat it.")
        {
            Look = unconfirmed.Look,
        },
        StoreUnavailableException => new(
            StatusCodes.Status503ServiceUnavailable, "The database does not answer",
            "Nothing is lost: entries wait until it is back. Reload the page in a moment."),
        TimeoutException => new(
            StatusCodes.Status504GatewayTimeout, "The database needed too long",
            "The question was stopped at its time limit, so that it does not load the database. Ask for less: a shorter time, "
            + "a kind, or a queue."),
        SearchRunningException => new(StatusCodes.Status429TooManyRequests, "One search at a time", failure.Message),
        TooManyReadsException { IsOfUser: true } => new(StatusCodes.Status429TooManyRequests, "One question at a time",
            failure.Message),
        TooManyReadsException => new(StatusCodes.Status503ServiceUnavailable, "Too many questions at once", failure.Message),
        StoreConfigurationException => new(
            StatusCodes.Status503ServiceUnavailable, "The database refuses this",
            "Its role may not do this, or its tables are not as the library needs them. The log of the application says more."),
        JobUnplannableException => new(StatusCodes.Status409Conflict, "The job can't be planned here", failure.Message),
        NotSupportedException => new(
            StatusCodes.Status501NotImplemented, "Not supported by this store",
            "The store of this application does not support this page."),
        BadHttpRequestException or InvalidDataException => new(
            StatusCodes.Status400BadRequest, "The form can't be read", "It is too large or not complete."),
        ArgumentException or InvalidInputException => new(StatusCodes.Status400BadRequest, "The question is not valid", failure.Message),
        _ => null,
    };

    /// <summary>Logs a failure that was explained. The text of a mistake in the request is the user's, so only its place is
    /// logged.</summary>
    public static void Report(ILogger logger, HttpContext context, Exception failure, Refusal explained)
    {
        var path = context.Request.Path.ToUriComponent();
        if (explained.Status is StatusCodes.Status400BadRequest or StatusCodes.Status429TooManyRequests)
        {
            Log.Refused(logger, explained.Status, context.Request.Method, path, explained.Title);
        }
        else
        {
            Log.Failed(logger, failure, path);
        }
    }
}
