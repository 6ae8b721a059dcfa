using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Hosting;

namespace TaskRecovery.Startup;

/// <summary>Checks that dependency injection can create a worker, handler or middleware, without creating it.</summary>
/// <param name="registered">The services that the application registered.</param>
/// <param name="application">Its container. If that can't report which services can be resolved, nothing is checked.</param>
internal sealed class ConstructorCheck(RegisteredServices registered, ApplicationServices application)
{
    private readonly IServiceProviderIsService? _container = application.Provider.GetService<IServiceProviderIsService>();
    private readonly HashSet<Type> _checked = [];

    /// <exception cref="InvalidOperationException">The type can't be created. The message names the missing service.</exception>
    public void Check(Type? type)
    {
        if (type is not null && _container is not null)
        {
            Check(type, type);
        }
    }

    private void Check(Type service, Type root)
    {
        // Services created by a factory or by another container can't be inspected.
        if (!_checked.Add(service) || registered.Services.LastOrDefault(other => other.ServiceType == service
            && !other.IsKeyedService) is not { ImplementationType: { } type })
        {
            return;
        }

        var constructors = type.GetConstructors();
        var usable = constructors.OrderByDescending(constructor => constructor.GetParameters().Length).FirstOrDefault(
            constructor => Array.TrueForAll(constructor.GetParameters(), IsThere));
        if (usable is null)
        {
            var missing = constructors.SelectMany(constructor => constructor.GetParameters()).FirstOrDefault(
                parameter => !IsThere(parameter));
            var problem = missing is null
                ? "it has no public constructor"
                : $"the parameter '{missing.Name}' of its constructor is a {missing.ParameterType}, which is not registered";
            var remedy = missing is null ? "Give it one" : $"Register {missing.ParameterType.Name} with the host's services";
            throw new InvalidOperationException(
                $"{root} can't be created{(type == root ? string.Empty : $", because it needs {type}")}: {problem}. {remedy}, "
                + $"or register {type.Name} with a factory.");
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
            ? _container is not IServiceProviderIsKeyedService keyedContainer
                || keyedContainer.IsKeyedService(parameter.ParameterType, keyed.Key)
            : _container!.IsService(parameter.ParameterType);
    }
}

/// <summary>The service registrations of one host.</summary>
internal sealed record RegisteredServices(IServiceCollection Services);
