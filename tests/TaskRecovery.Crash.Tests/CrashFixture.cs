using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Crash.Host;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Crash.Tests;

/// <summary>One store, the child processes that work on it, and a client that enqueues and reads.</summary>
public abstract class CrashFixture : IAsyncDisposable
{
    private readonly List<ChildProcess> _children = [];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("taskrecovery-crash-");
    private ServiceProvider? _services;
    private int _journals;

    public IJobQueue Queue => Services.GetRequiredService<IJobQueue>();

    public ITaskService Tasks => Services.GetRequiredService<ITaskService>();

    public IQueueStore Store => Services.GetRequiredService<IQueueStore>();

    private ServiceProvider Services => _services ?? throw new InvalidOperationException("The fixture was not started.");

    /// <summary>The grace period of its nodes on PostgreSQL; null for the default.</summary>
    public TimeSpan? Grace { get; set; }

    /// <summary>The lease of its nodes; null for the default.</summary>
    public TimeSpan? Lease { get; set; }

    /// <summary>How many entries have a transaction of their own in the test of those.</summary>
    public virtual int TransactionEntries => 200;

    /// <summary>Starts a node and waits until its host has started.</summary>
    public async Task<ChildProcess> StartNodeAsync(Func<HostSettings, HostSettings>? configure = null)
    {
        var child = Launch(configure);
        await child.WaitForLineAsync("ready");
        return child;
    }

    /// <summary>Starts a node without waiting for it.</summary>
    public ChildProcess Launch(Func<HostSettings, HostSettings>? configure = null)
    {
        var settings = SettingsFor(Path.Combine(_folder.FullName, $"{Interlocked.Increment(ref _journals)}.journal"));
        settings = settings with { Lease = Lease, Grace = Grace };
        settings = configure?.Invoke(settings) ?? settings;
        var child = ChildProcess.StartDotnet(typeof(HostSettings).Assembly.Location, [settings.ToArgument()], HostSettings.ShortLived);
        _children.Add(child);
        return child;
    }

    /// <summary>The nodes that have not ended.</summary>
    public IReadOnlyList<ChildProcess> Alive => [.. _children.Where(child => !child.HasExited)];

    public IReadOnlyList<JournalLine> ReadJournal() => Journal.ReadAll(_folder.FullName);

    /// <summary>Stops a process where it stands.</summary>
    public virtual Task StopAsync(ChildProcess process)
    {
        process.Send(Signal.Stop);
        return Task.CompletedTask;
    }

    /// <summary>The entries whose handlers committed a row of their own.</summary>
    public abstract Task<IReadOnlyList<long>> ReadEffectsAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var child in _children)
        {
            await child.DisposeAsync();
        }

        if (_services is not null)
        {
            await _services.DisposeAsync();
        }

        await StopStoreAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>The path of a file in the folder of the test.</summary>
    public string FileFor(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>What a node needs to work on this store.</summary>
    protected abstract HostSettings SettingsFor(string journal);

    protected abstract ValueTask StopStoreAsync();

    protected async Task PrepareAsync()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        ProbeHost.AddClient(services, SettingsFor("unused"));
        _services = services.BuildServiceProvider();
        await Store.PrepareAsync(CancellationToken.None);
    }
}
