using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>How an application with the dashboard is set up.</summary>
internal sealed record AppSetup
{
    public string Environment { get; init; } = "Production";

    public string? Badge { get; init; } = "Staging";

    public string? Policy { get; init; } = "staff";

    public string? DataPolicy { get; init; } = "data";

    public string? OperatePolicy { get; init; } = "ops";

    public bool HasFallbackPolicy { get; init; }

    public bool IsOpen { get; init; }

    public string? PathBase { get; init; }

    /// <summary>Where the dashboard is mapped.</summary>
    public string Path { get; init; } = "/jobs";

    public bool HasApi { get; init; }

    /// <summary>Signs users in with a cookie, which <c>/login</c> sets.</summary>
    public bool HasCookieLogin { get; init; }

    public int Port { get; init; }

    /// <summary>How long a stop waits for open requests; <see langword="null"/> for the host's default.</summary>
    public TimeSpan? ShutdownTimeout { get; init; }

    /// <summary>Where the body of every answer is written; <see langword="null"/> sends it.</summary>
    public Stream? ResponseBody { get; init; }

    public Action<DashboardOptions>? Configure { get; init; }

    /// <summary>Adds services of the application, before the dashboard is added.</summary>
    public Action<IServiceCollection>? Services { get; init; }

    /// <summary>Adds middleware of the application, before that of routing.</summary>
    public Action<IApplicationBuilder>? Middleware { get; init; }

    /// <summary>An application in which a browser without any login may do everything.</summary>
    public static AppSetup ForBrowsers { get; } =
        new() { Policy = null, IsOpen = true, DataPolicy = "everyone", OperatePolicy = "everyone" };
}
