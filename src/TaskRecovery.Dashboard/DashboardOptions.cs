namespace TaskRecovery;

/// <summary>The options of the dashboard.</summary>
public sealed class DashboardOptions
{
    /// <summary>The authorization policy that a user must pass to act: retry, cancel, pause, resume, run, delete.</summary>
    /// <value>Default: <see langword="null"/>: the dashboard is read-only.</value>
    public string? OperatePolicy { get; set; }

    /// <summary>The authorization policy that a user must pass to see and search the application's data: arguments, results, steps,
    /// checkpoints, metadata, unique keys, log lines and errors.</summary>
    /// <value>Default: <see langword="null"/>: data are hidden.</value>
    public string? DataPolicy { get; set; }

    /// <summary>The name of the environment, shown on every page. It is red unless it is <c>Development</c>.</summary>
    /// <value>Default: <see langword="null"/>: the name of the host's environment.</value>
    public string? Environment { get; set; }

    /// <summary>Returns the address of a trace in your tracing system, from the trace id (32 hexadecimal digits). Only http and https
    /// addresses become links.</summary>
    /// <value>Default: <see langword="null"/>: trace ids are shown without a link.</value>
    public Func<string, string?>? TraceUrl { get; set; }

    /// <summary>Changes the application's data before they are shown, for example to mask e-mail addresses. Called concurrently. If it
    /// throws or returns null, the text is hidden.</summary>
    /// <value>Default: <see langword="null"/>: data are shown as they are stored.</value>
    public Func<DashboardText, string?>? Redact { get; set; }

    /// <summary>The host names, without a port, under which the dashboard may be reached. Another name is refused, so that a name that an
    /// attacker points at this machine does not reach the dashboard.</summary>
    /// <value>Default: empty: an authenticated user may use any name that the application accepts; without authentication only
    /// <c>localhost</c> and IP addresses are accepted.</value>
    public IList<string> AllowedHosts { get; } = [];
}
