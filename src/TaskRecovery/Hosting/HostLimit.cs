using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;

namespace TaskRecovery.Hosting;

/// <summary>Finds how long the host waits for its services to stop.</summary>
/// <remarks>Uses reflection, because <c>HostOptions</c> is in the package Microsoft.Extensions.Hosting, which this library does not need
/// for anything else.</remarks>
internal static class HostLimit
{
    /// <summary>The host's limit; <see langword="null"/> if it can't be found.</summary>
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "IOptions of a reference type, which the host itself uses.")]
    [UnconditionalSuppressMessage("Trimming", "IL2055", Justification = "IOptions of a reference type, which the host itself uses.")]
    public static TimeSpan? Find(IServiceProvider services)
    {
        var type = Type.GetType("Microsoft.Extensions.Hosting.HostOptions, Microsoft.Extensions.Hosting", throwOnError: false);
        return type?.GetProperty("ShutdownTimeout") is { } property
            && services.GetService(typeof(IOptions<>).MakeGenericType(type)) is IOptions<object> options
            ? property.GetValue(options.Value) as TimeSpan?
            : null;
    }
}
