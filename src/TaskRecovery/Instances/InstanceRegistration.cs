using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Rules;

namespace TaskRecovery.Instances;

/// <summary>The registration of a named instance of TaskRecovery: its name, and the services that belong to it alone.</summary>
internal sealed record InstanceRegistration(string Name, IServiceCollection Services)
{
    /// <summary>Finds the registration of a name.</summary>
    public static InstanceRegistration? Find(IServiceCollection services, string name)
        => services.Where(static service => !service.IsKeyedService).Select(static service => service.ImplementationInstance)
            .OfType<InstanceRegistration>().FirstOrDefault(registration => registration.Name == name);

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
}
