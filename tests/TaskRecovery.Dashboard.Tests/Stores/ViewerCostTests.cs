using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TaskRecovery.Dashboard.Tests.Support;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Dashboard.Tests.Stores;

/// <summary>What viewers of the dashboard cost the database, in statements.</summary>
public sealed class ViewerCostTests : IAsyncLifetime
{
    private const int Viewers = 20;

    // To open a connection takes statements too.
    private readonly RealStore _store = new(isPostgres: true, keepsConnections: true);
    private readonly HeldTime _time = new();
    private WebApplication _app = null!;
    private HttpClient _client = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = RealApp.NewBuilder();
        builder.Services.AddSingleton<TimeProvider>(_time);
        await _store.UseAsync(builder.Services.AddTaskRecovery(static options => options.ServeDefaultQueue = false));
        builder.Services.AddTaskRecoveryDashboard();
        _app = builder.Build();
        PatientDatabase.ProbeNothing(_app.Services);
        _app.MapTaskRecovery("/jobs").AllowAnonymous();
        await _app.StartAsync(Cancellation);
        _client = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task Many_viewers_cost_as_much_as_one_and_none_cost_nothing()
    {
        await LookAsync(viewers: 1);
        _time.Advance(TimeSpan.FromSeconds(2));
        var one = await CountAsync(() => LookAsync(viewers: 1));
        var again = await CountAsync(() => LookAsync(Viewers));
        _time.Advance(TimeSpan.FromSeconds(2));
        var many = await CountAsync(() => LookAsync(Viewers));
        _time.Advance(TimeSpan.FromSeconds(2));

        // Nothing is to happen, so there is no event to wait for.
        var none = await CountAsync(() => Task.Delay(TimeSpan.FromSeconds(3), Cancellation));

        // The snapshot takes ten at most, and each of the seven other questions of the overview a few.
        Assert.InRange(one, 10, 50);
        Assert.Equal((0, one, 0), (again, many, none));
    }

    private Task LookAsync(int viewers)
        => Task.WhenAll(Enumerable.Range(0, viewers).Select(async _ =>
        {
            using var response = await _client.GetAsync("jobs/", Cancellation);
            response.EnsureSuccessStatusCode();
        }));

    private async Task<int> CountAsync(Func<Task> work)
    {
        var (statements, name) = (0, _store.DatabaseName);
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Npgsql",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = stopped =>
            {
                if (stopped.GetTagItem("db.namespace") as string == name)
                {
                    Interlocked.Increment(ref statements);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        await work();
        return statements;
    }

    /// <summary>A clock that runs, with timestamps that a test moves.</summary>
    private sealed class HeldTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _ticks);

        public void Advance(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);
    }
}
