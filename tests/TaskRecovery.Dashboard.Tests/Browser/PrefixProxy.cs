using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>A reverse proxy as they are found before applications: it removes a prefix and writes another host name.</summary>
internal sealed class PrefixProxy : IAsyncDisposable
{
    private const string Prefix = "/internal/tools";

    private readonly WebApplication _app;

    private PrefixProxy(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Urls.First() + Prefix + "/");
    }

    public Uri Address { get; }

    /// <summary>Starts a proxy for an application.</summary>
    /// <param name="target">The application.</param>
    /// <param name="forwards">Whether the proxy tells the application about itself, with the headers <c>X-Forwarded-*</c>.</param>
    public static async Task<PrefixProxy> StartAsync(Uri target, bool forwards)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        List<Dictionary<string, string>> transforms = [new(StringComparer.Ordinal) { ["PathRemovePrefix"] = Prefix }];
        if (!forwards)
        {
            transforms.Add(new(StringComparer.Ordinal) { ["X-Forwarded"] = "Off" });
        }

        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "app", Match = new RouteMatch { Path = Prefix
                + "/{**rest}" }, Transforms = transforms }],
            [
                new ClusterConfig
                {
                    ClusterId = "app",
                    Destinations = new Dictionary<string, DestinationConfig>(
                        StringComparer.Ordinal) { ["one"] = new() { Address = target.ToString() } },
                },
            ]);
        var app = builder.Build();
        app.MapReverseProxy();
        await app.StartAsync();
        return new PrefixProxy(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
