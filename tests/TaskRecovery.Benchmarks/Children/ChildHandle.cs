using System.Globalization;
using System.Text.Json;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>The parent's side of a child process.</summary>
internal sealed class ChildHandle : IAsyncDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);
    private readonly ChildProcess _process;
    private bool _isDisposed;

    private ChildHandle(ChildProcess process) => _process = process;

    /// <summary>The operating system's process id.</summary>
    public int Id => _process.Id;

    /// <summary>Starts children and waits until all are ready.</summary>
    public static Task<ChildHandle[]> StartAsync(params ChildSpec[] specs) => StartAsync(environment: null, specs);

    /// <summary>Starts children with variables of their own, and waits until all are ready.</summary>
    public static Task<ChildHandle[]> StartAsync(IReadOnlyDictionary<string, string>? environment, params ChildSpec[] specs)
        => StartAsync(typeof(ChildHandle).Assembly.Location, environment, specs);

    public static async Task<ChildHandle> StartAsync(ChildSpec spec) => (await StartAsync([spec]))[0];

    /// <summary>Starts a child from a published copy of this program.</summary>
    /// <param name="folder">Where it was published; <see langword="null"/> for this program itself.</param>
    /// <param name="spec">What the child does.</param>
    public static async Task<ChildHandle> StartAsync(string? folder, ChildSpec spec)
    {
        var program = typeof(ChildHandle).Assembly.Location;
        return (await StartAsync(
            folder is null ? program : Path.Combine(folder, Path.GetFileName(program)), environment: null, [spec]))[0];
    }

    public async Task GoAsync()
    {
        await _process.WriteLineAsync("go");
        await _process.WaitForLineAsync("gone", Longest);
    }

    public async Task<long> CountAsync()
    {
        await _process.WriteLineAsync("count");
        return long.Parse((await _process.WaitForLineAsync("count ", Longest))[6..], CultureInfo.InvariantCulture);
    }

    public async Task<ChildStats> StatsAsync()
    {
        await _process.WriteLineAsync("stats");
        return Read("stats ", await _process.WaitForLineAsync("stats ", Longest));
    }

    /// <summary>Waits until the child has done what it was asked for.</summary>
    public async Task<ChildStats> FinishedAsync() => Read("finished ", await _process.WaitForLineAsync("finished ", Longest));

    public Task KillAsync() => _process.KillAsync();

    public async ValueTask DisposeAsync()
    {
        // A child may be in a group, and in the hands of who started it.
        if (!_isDisposed)
        {
            _isDisposed = true;
            await _process.DisposeAsync();
        }
    }

    private static async Task<ChildHandle[]> StartAsync(
        string program, IReadOnlyDictionary<string, string>? environment, ChildSpec[] specs)
    {
        var children =
            specs.Select(spec => new ChildHandle(ChildProcess.StartDotnet(program, ["child", spec.ToString()], environment))).ToArray();
        foreach (var child in children)
        {
            await child._process.WaitForLineAsync("ready", Longest);
        }

        return children;
    }

    private static ChildStats Read(string word, string line) => JsonSerializer.Deserialize<ChildStats>(line[word.Length..])!;
}
