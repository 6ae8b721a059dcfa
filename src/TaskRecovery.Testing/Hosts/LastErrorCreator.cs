using Microsoft.Extensions.Options;

namespace TaskRecovery.Testing.Hosts;

/// <summary>Has <see cref="LastError"/> created with the options, which the engine and its store need first. Changes no option, and must
/// not be disposable.</summary>
internal sealed class LastErrorCreator(LastError error) : IConfigureOptions<TaskRecoveryOptions>, IConfigureOptions<SqliteOptions>
{
    /// <summary>Changes nothing.</summary>
    public void Configure(TaskRecoveryOptions options) => GC.KeepAlive(error);

    /// <summary>Changes nothing.</summary>
    public void Configure(SqliteOptions options) => GC.KeepAlive(error);
}
