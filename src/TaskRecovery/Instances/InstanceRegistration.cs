using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Hosting;
using TaskRecovery.Kinds;
using TaskRecovery.Rules;

namespace TaskRecovery.Instances;

/// <summary>The registration of a named instance of TaskRecovery: its name, the services that belong to it alone, and the group of
/// instances with which it starts side by side.</summary>
internal sealed record InstanceRegistration(string Name, IServiceCollection Services, int Group)
{
    /// <summary>Finds the registration of a name.</summary>
    public static InstanceRegistration? Find(IServiceCollection services, string name)
        => services.Registered<InstanceRegistration>().FirstOrDefault(registration => registration.Name == name);

    /// <summary>The kinds of all instances of an application, the one without a name included.</summary>
    public static IEnumerable<InstanceKinds> ListKinds(IServiceCollection application)
    {
        foreach (var registered in application.Registered<object>())
        {
            if (registered is KindRegistrations kinds)
            {
                yield return new InstanceKinds(Name: null, kinds);
            }
            else if (registered is InstanceRegistration instance)
            {
                yield return new InstanceKinds(instance.Name, instance.Services.Registered<KindRegistrations>().First());
            }
        }
    }

    /// <summary>The group of an instance that is about to be registered: that of the instance before it, unless a hosted service was
    /// registered meanwhile that may have to prepare something, such as a database, in its own <c>StartingAsync</c>.</summary>
    public static int NextGroup(IServiceCollection services)
        => services.Count(static service => service.ServiceType == typeof(IHostedService) && MayPrepare(service))
            - services.Count(static service => service.ServiceType == typeof(InstanceRegistration));

    /// <exception cref="ArgumentException">The name is invalid.</exception>
    public static void CheckName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!ShortId.IsValid(name))
        {
            throw new ArgumentException(
                $"'{EntryText.Shown(name)}' can't be the name of an instance. It is the key of its services, a tag of its metrics and part "
                + $"of its log categories: use {ShortId.Allowed}.", nameof(name));
        }
    }

    // What a factory creates is not known, the hosted services of other instances included.
    private static bool MayPrepare(ServiceDescriptor service)
        => !service.IsKeyedService
            && ((service.ImplementationType ?? service.ImplementationInstance?.GetType()) is not { } type
                || typeof(IHostedLifecycleService).IsAssignableFrom(type));
}
