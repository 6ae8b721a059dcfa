using Microsoft.Extensions.Logging;

namespace TaskRecovery.Dashboard.Hosting;

/// <summary>Appends the name of the instance to each category, as the instance itself does, so that a line of the log says which one was
/// seen or changed.</summary>
internal sealed class InstanceLoggerFactory(ILoggerFactory inner, string name) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => inner.CreateLogger($"{categoryName}[{name}]");

    public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

    // The application's factory is disposed by the application.
    public void Dispose()
    {
    }
}
