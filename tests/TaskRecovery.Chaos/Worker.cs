using TaskRecovery.Crash.Host;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Chaos;

/// <summary>One worker process and the network between it and the server.</summary>
internal sealed class Worker(ChildProcess process, HostSettings settings, TcpProxy? network) : IAsyncDisposable
{
    public ChildProcess Process { get; } = process;

    public HostSettings Settings { get; } = settings;

    public TcpProxy? Network { get; } = network;

    public int Id => Process.Id;

    /// <summary>Whether something is being done to it, so that it is left alone otherwise.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Whether the program itself ended it.</summary>
    public bool IsEnded { get; set; }

    public bool HasExited => Process.HasExited;

    /// <summary>Whether its journal has more than the line of its start.</summary>
    public bool HasWorked => File.Exists(Settings.JournalFile) && new FileInfo(Settings.JournalFile).Length > 200;

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        if (Network is not null)
        {
            await Network.DisposeAsync();
        }
    }
}
