using System.Reflection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Rules;

namespace TaskRecovery.Hosting;

/// <summary>The application as the actor of what its own code does. <see cref="IJobQueue"/> and <see cref="IJobService"/> name no
/// other.</summary>
internal sealed class ApplicationActor(IHostEnvironment? environment = null)
{
    // Events with this tool are kept by age and by number, those of people by age only: code can cause thousands a second.
    private const string Tool = "application";

    private const int MaxActor = 200;

    /// <summary>The application's name.</summary>
    public string Name { get; } = string.IsNullOrWhiteSpace(environment?.ApplicationName)
        ? Assembly.GetEntryAssembly()?.GetName().Name ?? "unknown"
        : environment.ApplicationName;

    /// <summary>The application, and why it does something.</summary>
    public AuditInfo Because(string? reason = null) => new(EntryText.Storable(EntryText.Shown(Name), MaxActor - 4), reason) { Tool = Tool };
}
