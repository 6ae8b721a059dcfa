using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Claims;
using TaskRecovery.Diagnostics;
using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Support;

/// <summary>A host on a <see cref="FakeQueueStore"/>, with whatever a test registers.</summary>
internal sealed class WorkHost : IAsyncDisposable
{
    /// <summary>The lease of the node: as long as a machine may stand still.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    /// <summary>For tests in which nothing that a stop has to wait for may be given up.</summary>
    public static readonly WorkLimits PatientStop = new()
    {
        CancelTime = TimeSpan.FromMinutes(1),
        FlushTime = TimeSpan.FromMinutes(1),
        LongestBuffered = TimeSpan.FromMinutes(5),
    };

    private readonly IHost _host;
    private bool _runs;

    private WorkHost(IHost host, FakeQueueStore store)
    {
        _host = host;
        Store = store;
    }

    public FakeQueueStore Store { get; }

    public IServiceProvider Services => _host.Services;

    public IJobQueue Queue => Services.GetRequiredService<IJobQueue>();

    /// <summary>The instruments of this host's own meter.</summary>
    public IReadOnlyList<Instrument> Instruments
    {
        get
        {
            var found = new List<Instrument>();
            var meter = Services.GetRequiredService<Metrics>().Meter;
            using var listener = new MeterListener
            {
                InstrumentPublished = (instrument, _) =>
                {
                    if (ReferenceEquals(instrument.Meter, meter))
                    {
                        found.Add(instrument);
                    }
                },
            };
            listener.Start();
            return found;
        }
    }

    public WorkLog Log => Services.GetRequiredService<WorkLog>();

    /// <summary>A builder of a host that logs to <paramref name="log"/> only, and has time to stop.</summary>
    public static HostApplicationBuilder NewBuilder(WorkLog log)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(log);
        builder.Services.Configure<HostOptions>(static options => options.ShutdownTimeout = TimeSpan.FromMinutes(5));
        return builder;
    }

    public static WorkHost Create(FakeQueueStore store, Action<TaskRecoveryBuilder> register, Action<TaskRecoveryOptions>? configure = null)
    {
        var log = new WorkLog();
        var builder = NewBuilder(log);
        builder.Services.AddSingleton(log);
        builder.Services.AddSingleton<IQueueStore>(store);
        builder.Services.AddSingleton<IJobStore, NoJobs>();
        builder.Services.AddSingleton(new WorkLimits { LongestBuffered = PatientStop.LongestBuffered });
        register(builder.Services.AddTaskRecovery(options =>
        {
            options.ShutdownTimeout = TimeSpan.FromSeconds(5);
            options.Node.Lease = Lease;
            configure?.Invoke(options);
        }));
        return new WorkHost(builder.Build(), store);
    }

    public static async Task<WorkHost> StartAsync(
        FakeQueueStore store, Action<TaskRecoveryBuilder> register, Action<TaskRecoveryOptions>? configure = null)
    {
        var host = Create(store, register, configure);
        await host.StartAsync();
        return host;
    }

    public async Task StartAsync()
    {
        await _host.StartAsync();
        _runs = true;
    }

    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        _runs = false;
        await _host.StopAsync(cancellationToken);
    }

    /// <summary>Disposes the host as a program does that has not stopped it.</summary>
    public void DisposeWithoutStop()
    {
        _runs = false;
        _host.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        if (_runs)
        {
            await StopAsync();
        }

        _host.Dispose();
    }
}

/// <summary>What was logged, by event id.</summary>
internal sealed class WorkLog : ILoggerProvider, ILogger
{
    private readonly List<(int Id, LogLevel Level, string Message)> _lines = [];

    public IReadOnlyList<(int Id, LogLevel Level, string Message)> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Called for every line.</summary>
    public Action<int>? OnLine { get; set; }

    public int Count(int eventId) => Lines.Count(line => line.Id == eventId);

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        OnLine?.Invoke(eventId.Id);
        lock (_lines)
        {
            _lines.Add((eventId.Id, logLevel, formatter(state, exception)));
        }
    }

    public void Dispose()
    {
    }
}
