using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>A proxy as they are found before applications: it removes a prefix, writes another host name, and adds no header.</summary>
internal sealed class PrefixProxy : IAsyncDisposable
{
    private const string Prefix = "/internal/tools";

    private readonly WebApplication _app;
    private readonly HttpClient _client;

    private PrefixProxy(WebApplication app, HttpClient client)
    {
        _app = app;
        _client = client;
        Address = new Uri(app.Urls.First() + Prefix + "/");
    }

    public Uri Address { get; }

    public static async Task<PrefixProxy> StartAsync(Uri target)
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = target };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(context => ForwardAsync(client, context));
        await app.StartAsync();
        return new PrefixProxy(app, client);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _client.Dispose();
    }

    private static async Task ForwardAsync(HttpClient client, HttpContext context)
    {
        if (!context.Request.Path.StartsWithSegments(Prefix, StringComparison.Ordinal, out var rest))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        using var request = new HttpRequestMessage(
            new HttpMethod(context.Request.Method), rest.ToUriComponent() + context.Request.QueryString.ToUriComponent());
        if (HttpMethods.IsPost(context.Request.Method))
        {
            request.Content = new StreamContent(context.Request.Body);
        }

        foreach (var (name, value) in context.Request.Headers.Where(
            static header => header.Key is not ("Host" or "Connection" or "Content-Length")))
        {
            if (!request.Headers.TryAddWithoutValidation(name, value.ToArray()))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, value.ToArray());
            }
        }

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        context.Response.StatusCode = (int)response.StatusCode;
        foreach (var (name, value) in response.Headers.Concat(response.Content.Headers).Where(
            static header => header.Key is not ("Transfer-Encoding" or "Connection")))
        {
            context.Response.Headers[name] = value.ToArray();
        }

        await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }
}
