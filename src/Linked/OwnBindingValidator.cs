using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace TaskRecovery.Configuration;

/// <summary>Refuses options that the application binds to configuration itself. .NET's binder ignores a name that is not an option, and
/// what other options are to read from the same section, so that half of a section could be without effect.</summary>
/// <remarks><c>services.Configure(section)</c>, <c>Bind</c> and <c>BindConfiguration</c> all register the section as a source of changes,
/// also if a source generator replaces them. The options of a named instance are created from its own services, so a section that is
/// registered in those of the application would be without any effect.</remarks>
/// <param name="services">The services of the instance of TaskRecovery.</param>
/// <param name="instance">The name of the instance; <see langword="null"/> for the one without a name.</param>
internal sealed class OwnBindingValidator<TOptions>(IServiceProvider services, string? instance) : IValidateOptions<TOptions>
    where TOptions : class
{
    public ValidateOptionsResult Validate(string? name, TOptions options)
    {
        var type = typeof(TOptions).Name;
        if (IsBound(services, name))
        {
            return ValidateOptionsResult.Fail(
                $"{type} are bound to configuration with services.Configure<{type}>(section) or "
                + "Bind(section), which ignores the sections Workers, PostgreSql and Sqlite and every name that it does not know. "
                + Remedy());
        }

        return instance is not null
            && TaskRecoveryBuilder.ApplicationOf(services) is var application
            && (IsBound(application, name) || IsBound(application, instance))
            ? ValidateOptionsResult.Fail(
                $"{type} are bound to configuration with services.Configure<{type}>(section) or Bind(section), "
                + $"which does not concern the instance '{instance}': it has options of its own. {Remedy()}")
            : ValidateOptionsResult.Success;
    }

    private static bool IsBound(IServiceProvider provider, string? name)
        => provider.GetServices<IOptionsChangeTokenSource<TOptions>>().Any(
            source => source is ConfigurationChangeTokenSource<TOptions> && source.Name == (name ?? Options.DefaultName));

    private string Remedy()
        => $"Pass the section to AddTaskRecovery({(instance is null ? "" : $"\"{instance}\", ")}section) instead, with the options of the "
            + "store in its section PostgreSql or Sqlite.";
}
