using System.Text.Json;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>A process that serves the dashboard of a store on a port of this machine.</summary>
internal sealed class DashboardProcess : IAsyncDisposable
{
    private readonly ChildProcess _process;

    private DashboardProcess(ChildProcess process, Uri address) => (_process, Address) = (process, address);

    /// <summary>The address of the overview; those of the other pages are relative to it.</summary>
    public Uri Address { get; }

    public static async Task<DashboardProcess> StartAsync(string store, string connectionString)
    {
        const string Name = "TaskRecovery.Benchmarks.Dashboard";
        var process = ChildProcess.StartDotnet(SiblingProgram.Find($"tests/{Name}", Name), [store, connectionString]);
        return new DashboardProcess(process, new Uri((await process.WaitForLineAsync("ready "))["ready ".Length..]));
    }

    /// <summary>How long the requests since the last call took in the process, in milliseconds, with the status of each.</summary>
    public async Task<(int Status, double Milliseconds)[]> TimesAsync()
    {
        await _process.WriteLineAsync("times");
        var line = await _process.WaitForLineAsync("times ");
        return [.. JsonSerializer.Deserialize<double[][]>(line["times ".Length..])!.Select(static one => ((int)one[0], one[1]))];
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
