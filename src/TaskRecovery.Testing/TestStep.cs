using System.Text;
using TaskRecovery.Queue;

namespace TaskRecovery.Testing;

/// <summary>A step that a run has used.</summary>
public sealed class TestStep
{
    private readonly EntryJson _json;
    private readonly ReadOnlyMemory<byte>? _result;

    internal TestStep(string name, bool wasRun, ReadOnlyMemory<byte>? result, EntryJson json)
    {
        Name = name;
        WasRun = wasRun;
        _result = result;
        _json = json;
    }

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>Whether its delegate was called; <see langword="false"/> if an earlier run's result was used.</summary>
    public bool WasRun { get; }

    /// <summary>Whether its result is stored, so that the next run does not run it again.</summary>
    public bool IsStored => _result is not null;

    /// <summary>The stored result as JSON; <see langword="null"/> if none is stored.</summary>
    public string? ResultJson => _result is { } json ? Encoding.UTF8.GetString(json.Span) : null;

    /// <summary>Reads the stored result.</summary>
    /// <exception cref="InvalidOperationException">No result is stored.</exception>
    public T? Result<T>()
        => _result is { } json ? _json.Read<T>(json) : throw new InvalidOperationException(
            $"Step '{Name}' has no stored result: its delegate did not return, or its result was refused.");

    /// <summary>Describes the step.</summary>
    public override string ToString()
        => $"{Name}: {(WasRun ? "ran" : "used the stored result")}{(IsStored ? $" {ResultJson}" : ", no result stored")}";
}
