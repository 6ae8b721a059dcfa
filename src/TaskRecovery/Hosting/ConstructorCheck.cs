using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Hosting;

/// <summary>Finds a worker, a handler or a middleware that dependency injection could not create, without creating it.</summary>
/// <param name="registered">What the application registered.</param>
/// <param name="provider">Knows what can be resolved; <see langword="null"/> for a container that does not say, which is not checked.</param>
internal sealed class ConstructorCheck(RegisteredServices registered, IServiceProviderIsService? provider = null)
{
    private readonly HashSet<Type> _checked = [];

    /// <exception cref="InvalidOperationException">It can't be created. The message says which service is missing.</exception>
    public void Check(Type? type)
    {
        if (type is not null && provider is not null)
        {
            Check(type, type);
        }
    }

    private void Check(Type service, Type root)
    {
        // What a factory makes, or another container, can't be looked into.
        if (!_checked.Add(service) || registered.Services.LastOrDefault(other => other.ServiceType == service && !other.IsKeyedService) is not { ImplementationType: { } type })
        {
            return;
        }

        var constructors = type.GetConstructors();
        var usable = constructors.OrderByDescending(constructor => constructor.GetParameters().Length).FirstOrDefault(constructor => Array.TrueForAll(constructor.GetParameters(), IsThere));
        if (usable is null)
        {
            var missing = constructors.SelectMany(constructor => constructor.GetParameters()).FirstOrDefault(parameter => !IsThere(parameter));
            var problem = missing is null ? "it has no public constructor" : $"the parameter '{missing.Name}' of its constructor is a {missing.ParameterType}, which is not registered";
            var remedy = missing is null ? "Give it one" : $"Register {missing.ParameterType.Name} with the host's services";
            throw new InvalidOperationException($"{root} can't be created{(type == root ? string.Empty : $", because it needs {type}")}: {problem}. {remedy}, or register {type.Name} with a factory.");
        }

        foreach (var parameter in usable.GetParameters())
        {
            Check(parameter.ParameterType, root);
        }
    }

    private bool IsThere(ParameterInfo parameter)
    {
        if (parameter.HasDefaultValue)
        {
            return true;
        }

        return parameter.GetCustomAttribute<FromKeyedServicesAttribute>() is { } keyed
            ? provider is not IServiceProviderIsKeyedService keyedProvider || keyedProvider.IsKeyedService(parameter.ParameterType, keyed.Key)
            : provider!.IsService(parameter.ParameterType);
    }
}

/// <summary>The services of one host, as they were registered.</summary>
internal sealed record RegisteredServices(IServiceCollection Services);
