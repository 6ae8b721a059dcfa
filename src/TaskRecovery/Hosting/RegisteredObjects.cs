using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Hosting;

/// <summary>Finds objects that were registered as such.</summary>
internal static class RegisteredObjects
{
    /// <summary>The objects of a type that were registered without a key, in the order of their registration.</summary>
    public static IEnumerable<T> Registered<T>(this IServiceCollection services)
        => services.Where(static service => !service.IsKeyedService).Select(static service => service.ImplementationInstance).OfType<T>();
}
