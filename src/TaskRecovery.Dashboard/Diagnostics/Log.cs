using Microsoft.Extensions.Logging;

namespace TaskRecovery.Dashboard.Diagnostics;

/// <summary>What the dashboard logs. The ids are listed in docs/diagnostics.md.</summary>
internal static partial class Log
{
    [LoggerMessage(6001, LogLevel.Warning, "Refused with status {Status}: {Method} {Path} ({Reason})")]
    public static partial void Refused(ILogger logger, int status, string method, string path, string reason);

    [LoggerMessage(6002, LogLevel.Information, "{User} opened the data of {What}")]
    public static partial void DataOpened(ILogger logger, string user, string what);

    [LoggerMessage(6003, LogLevel.Information, "{User}: {Action}, shown at {Path}: {Result}")]
    public static partial void Acted(ILogger logger, string user, string action, string path, string result);

    [LoggerMessage(6004, LogLevel.Warning, "{What} failed")]
    public static partial void Failed(ILogger logger, Exception exception, string what);

    [LoggerMessage(6005, LogLevel.Warning, "DashboardOptions.Redact threw: the text is hidden")]
    public static partial void RedactorFailed(ILogger logger, Exception exception);

    [LoggerMessage(6006, LogLevel.Warning, "{User} may not act: {Action} was refused")]
    public static partial void ActionRefused(ILogger logger, string user, string action);

    [LoggerMessage(6007, LogLevel.Information, "{User} searched data by {Conditions}")]
    public static partial void DataSearched(ILogger logger, string user, string conditions);

    [LoggerMessage(6008, LogLevel.Warning, "DashboardOptions.Scope threw: the request is refused")]
    public static partial void ScopeFailed(ILogger logger, Exception exception);

    [LoggerMessage(6009, LogLevel.Warning, "DashboardOptions.TraceUrl threw: the id of the trace is shown without a link (logged once)")]
    public static partial void TraceUrlFailed(ILogger logger, Exception exception);

    [LoggerMessage(6010, LogLevel.Warning, "DashboardOptions.UserName threw: the request is refused")]
    public static partial void UserNameFailed(ILogger logger, Exception exception);
}
