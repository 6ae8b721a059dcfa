using Microsoft.Extensions.Logging;

namespace TaskRecovery.Instances;

/// <summary>Appends the name of the instance to each category, for example <c>TaskRecovery.Jobs[reports]</c>. A filter for
/// <c>TaskRecovery</c> or <c>TaskRecovery.Jobs</c> matches it, because filters match the beginning of a category.</summary>
internal sealed class NamedLoggerFactory(ILoggerFactory inner, string name) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => inner.CreateLogger($"{categoryName}[{name}]");

    public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

    // The application's factory is disposed by the application.
    public void Dispose()
    {
    }
}
