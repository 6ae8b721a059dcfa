using System.Security.Claims;

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

    /// <summary>The authorization policy that a user must pass, besides <see cref="DataPolicy"/>, to search data while
    /// <see cref="Redact"/> is set: a search looks at what is stored, so that its hits reveal what the redactor hides.</summary>
    /// <value>Default: <see langword="null"/>: with a redactor no user may search data; without one, every user who may see data may
    /// search them.</value>
    public string? SearchPolicy { get; set; }

    /// <summary>The name of the environment, shown on every page. It is red unless it is <c>Development</c>.</summary>
    /// <value>Default: <see langword="null"/>: the name of the host's environment.</value>
    public string? Environment { get; set; }

    /// <summary>Returns the address of a trace in your tracing system, from the trace id (32 hexadecimal digits). Only http and https
    /// addresses become links. If it throws, trace ids are shown without a link.</summary>
    /// <value>Default: <see langword="null"/>: trace ids are shown without a link.</value>
    public Func<string, string?>? TraceUrl { get; set; }

    /// <summary>Returns the part of the system that a user may see and change, for example a tenant's entries; <see langword="null"/> for
    /// all. Called for each request, after the policies, with the signed-in user. If it throws, or returns a scope without a condition, the
    /// request is refused. What belongs to no entry (nodes, events) is not shown to a user with a scope, and neither are numbers that count
    /// more than the scope.</summary>
    /// <value>Default: <see langword="null"/>: every user sees all.</value>
    public Func<ClaimsPrincipal, EntryScope?>? Scope { get; set; }

    /// <summary>Returns the name under which a user's actions are recorded and that the pages show. It must be different for each user:
    /// only the user who prepared a bulk operation may start it. If it returns null, the default is used. If it throws, the
    /// request is refused.</summary>
    /// <value>Default: <see langword="null"/>: the user's name with the claim <c>sub</c> (or the name identifier) in parentheses, whichever
    /// there is; otherwise the id of the client.</value>
    public Func<ClaimsPrincipal, string?>? UserName { get; set; }

    /// <summary>Changes the application's data before they are shown, for example to mask e-mail addresses. Called concurrently. If it
    /// throws or returns null, the text is hidden. JSON is passed without escapes, as far as JSON allows: <c>+</c> and not
    /// <c>\u002B</c>.</summary>
    /// <value>Default: <see langword="null"/>: data are shown as they are stored.</value>
    public Func<DashboardText, string?>? Redact { get; set; }

    /// <summary>The host names under which the dashboard may be reached, each without a scheme, a port or a <c>*</c>; another text fails
    /// the start. Another name is refused, so that a name that an attacker points at this machine does not reach the dashboard. Behind a
    /// proxy, the name is that of the header <c>X-Forwarded-Host</c> if the application accepts it.</summary>
    /// <value>Default: empty: a user who is signed in with a cookie or a bearer token may use any name that the application accepts.
    /// Otherwise (a client certificate, a Windows login, a name that a proxy adds, no login) only <c>localhost</c> and IP addresses are
    /// accepted, because a browser proves those to any host name.</value>
    public IList<string> AllowedHosts { get; } = [];
}
