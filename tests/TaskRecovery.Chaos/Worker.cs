using System.Globalization;
using TaskRecovery.Crash.Host;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Chaos;

/// <summary>One worker process and the network between it and the server.</summary>
internal sealed class Worker(ChildProcess process, HostSettings settings, TcpProxy? network, bool isVeteran) : IAsyncDisposable
{
    public ChildProcess Process { get; } = process;

    public HostSettings Settings { get; } = settings;

    public TcpProxy? Network { get; } = network;

    /// <summary>Whether it is never killed: it lives through everything else, from the beginning to the end.</summary>
    public bool IsVeteran { get; } = isVeteran;

    /// <summary>What the operating system calls it.</summary>
    public int Id => Process.Id;

    /// <summary>What this run calls it: the number of its journal.</summary>
    public int Number { get; } = NumberOf(settings);

    /// <summary>Whether something is being done to it, so that it is left alone otherwise.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Whether the program itself ended it.</summary>
    public bool IsEnded { get; set; }

    public bool HasExited => Process.HasExited;

    /// <summary>Whether its journal has more than the lines of its start.</summary>
    public bool HasWorked => File.Exists(Settings.JournalFile) && new FileInfo(Settings.JournalFile).Length > 300;

    public static int NumberOf(HostSettings settings) => NumberOf(settings.JournalFile);

    public static int NumberOf(string journal) => int.Parse(Path.GetFileNameWithoutExtension(journal), CultureInfo.InvariantCulture);

    /// <summary>Ends the process, and keeps its log beside its journal.</summary>
    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        await File.WriteAllTextAsync(Path.ChangeExtension(Settings.JournalFile, ".log"), Process.Output);
        if (Network is not null)
        {
            await Network.DisposeAsync();
        }
    }
}
