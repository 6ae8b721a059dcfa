using TaskRecovery.Testing;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Gets the test of an application's queue.</summary>
public static class TaskRecoveryTestServiceProviderExtensions
{
    /// <summary>Returns the object that runs and checks the queue of this application.</summary>
    /// <param name="services">The services of the host.</param>
    /// <exception cref="InvalidOperationException"><c>AddTaskRecoveryTesting</c> was not called.</exception>
    public static TaskRecoveryTest GetTaskRecoveryTest(this IServiceProvider services)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.GetService<TaskRecoveryTest>()
            ?? throw new InvalidOperationException(
                "The application is not under test: call services.AddTaskRecoveryTesting() after AddTaskRecovery, "
                + "for example in ConfigureTestServices.");
    }
}
