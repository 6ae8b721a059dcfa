using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Cli.Connections;

namespace TaskRecovery.Cli.Web;

/// <summary>The dashboard on a random port of 127.0.0.1, for the one browser that opens its link.</summary>
/// <remarks>Its services are those of the command: no host of the library is started, so this process is not a node.</remarks>
internal sealed class DashboardSite : IAsyncDisposable
{
    private const string Policy = "browser";

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(1);

    private readonly WebApplication _app;

    private DashboardSite(WebApplication app, string link)
    {
        _app = app;
        Link = link;
    }

    /// <summary>The link, which can be opened once.</summary>
    public string Link { get; }

    /// <summary>Starts the dashboard.</summary>
    /// <param name="store">The database.</param>
    /// <param name="actor">Who acts, for the record of events.</param>
    /// <param name="mayOperate">Whether the pages may change something.</param>
    /// <param name="note">Writes a line of the log.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    public static async Task<DashboardSite> StartAsync(
        StoreSession store, string actor, bool mayOperate, Action<string> note, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        var session = new OneTimeSession();
        var gate = new SessionGate(session, actor);
        var app = Build(store, mayOperate, note);
        app.Use(next => context => gate.CheckAsync(context, next));
        app.UseRouting();
        app.UseAuthorization();
        app.MapTaskRecovery(session.Area).RequireAuthorization(Policy);
        try
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
            return new DashboardSite(app, app.Urls.Single() + gate.Link);
        }
        catch
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Stops what runs, the steps of bulk operations included, and waits for it up to a limit.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await _app.StopAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The limit has passed. What still runs ends with this process.
        }

        await _app.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The site without its pages.</summary>
    internal static WebApplication Build(StoreSession store, bool mayOperate, Action<string> note)
    {
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { EnvironmentName = Environments.Production, ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders().AddProvider(new NoteLog(note));
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, port: 0);
        });
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.Configure<HostOptions>(static options => options.ShutdownTimeout = StopTimeout);
        builder.Services.AddSingleton(store.Monitor);
        builder.Services.AddSingleton(store.Operator);
        builder.Services.AddSingleton(store.Jobs);
        builder.Services.AddAuthorization(static options => options.AddPolicy(Policy, static policy => policy.RequireAuthenticatedUser()));
        builder.Services.AddTaskRecoveryDashboard(options =>
        {
            options.DataPolicy = Policy;
            options.OperatePolicy = mayOperate ? Policy : null;
            options.Environment = store.Where;
            options.AllowedHosts.Add("127.0.0.1");
        });
        if (mayOperate)
        {
            builder.Services.AddHostedService<OperationCarrier>();
        }

        return builder.Build();
    }
}
