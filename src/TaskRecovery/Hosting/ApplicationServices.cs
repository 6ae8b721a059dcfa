using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Hosting;

/// <summary>The services of the application: workers, middleware and codecs are created from them. A named instance of TaskRecovery keeps
/// its own services apart from them.</summary>
internal sealed class ApplicationServices(IServiceProvider provider)
{
    public IServiceProvider Provider => provider;

    /// <summary>Creates the scopes in which workers run.</summary>
    public IServiceScopeFactory Scopes { get; } = provider.GetRequiredService<IServiceScopeFactory>();
}
