namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>Requests as a browser sends them.</summary>
internal static class Requests
{
    public static readonly string[] Pages =
    [
        "jobs/", "jobs/queues", "jobs/entries", "jobs/entries?state=failed", "jobs/entries?group=kind",
        $"jobs/entries/{Shop.CrashedEntry}", $"jobs/entries/{Shop.RunningEntry}",
        $"jobs/entries/{Shop.FailedEntry}", "jobs/kinds", "jobs/jobs", $"jobs/jobs/{Shop.ReportJob}",
        "jobs/tasks", "jobs/nodes", "jobs/events", "jobs/operations", "jobs/operations/7",
        "jobs/operations/5", "jobs/operations/5/undo", "jobs/search?q=mail", "jobs/about",
    ];

    /// <summary>One page of each kind, for what takes long.</summary>
    public static readonly string[] Layouts =
    [
        "jobs/", "jobs/queues", "jobs/entries?state=failed",
        $"jobs/entries/{Shop.CrashedEntry}", $"jobs/entries/{Shop.RunningEntry}", "jobs/jobs",
        $"jobs/jobs/{Shop.ReportJob}", "jobs/tasks", "jobs/nodes", "jobs/events",
        "jobs/operations/7", "jobs/operations/5", "jobs/search?q=mail", "jobs/about",
        "jobs/kinds", "jobs/operations", "jobs/entries?group=kind",
    ];

    /// <summary>What is not a page: downloads and assets.</summary>
    public static readonly string[] Files =
    [
        $"jobs/entries/{Shop.CompletedEntry}/args", $"jobs/entries/{Shop.CompletedEntry}/result",
        "jobs/-/dashboard.css", "jobs/-/dashboard.js", "jobs/-/icon.svg",
    ];

    public static readonly string[] Posts =
    [
        $"jobs/entries/{Shop.FailedEntry}/retry", $"jobs/entries/{Shop.WaitingEntry}/cancel",
        "jobs/queues/pause", "jobs/queues/resume", "jobs/kinds/pause", "jobs/kinds/resume",
        $"jobs/jobs/{Shop.ReportJob}/run", $"jobs/jobs/{Shop.ReportJob}/pause",
        $"jobs/jobs/{Shop.ReportJob}/resume", $"jobs/jobs/{Shop.ReportJob}/delete", "jobs/operations/prepare",
        "jobs/operations/7/start", "jobs/operations/6/stop", "jobs/operations/5/undo",
    ];

    /// <summary>A request for a page. Without a site, it is that of a program or of an old browser.</summary>
    public static HttpRequestMessage Get(string path, string? user = "ada", string roles = "", string? site = null)
        => From(new HttpRequestMessage(HttpMethod.Get, path), user, roles, site);

    /// <summary>A form that a page of the dashboard posts.</summary>
    public static HttpRequestMessage Post(
        string path, string? user = "ada", string roles = "ops", string? site = "same-origin", params (string Name, string Value)[] fields)
    {
        var request = From(new HttpRequestMessage(HttpMethod.Post, path), user, roles, site);
        (string Name, string Value)[] all =
            [("name", "mail"), ("reason", "because"), ("id", "4104"), ("do", "retry"),
                ("filter", "state=failed"), ("confirm", "monthly-report"), .. fields];
        request.Content = new FormUrlEncodedContent(
            all.GroupBy(static field => field.Name).Select(static group => KeyValuePair.Create(group.Key, group.Last().Value)));
        return request;
    }

    private static HttpRequestMessage From(HttpRequestMessage request, string? user, string roles, string? site)
    {
        if (user is not null)
        {
            request.Headers.Add(HeaderAuthentication.UserHeader, user);
            request.Headers.Add(HeaderAuthentication.RolesHeader, roles);
        }

        if (site is not null)
        {
            request.Headers.Add("Sec-Fetch-Site", site);
        }

        return request;
    }
}
