using Microsoft.Extensions.Options;

namespace TaskRecovery.Configuration;

/// <summary>Refuses options that the application binds to configuration itself. .NET's binder ignores a name that is not an option, and
/// what other options are to read from the same section, so that half of a section could be without effect.</summary>
/// <param name="sources">The sections that the options are bound to. <c>services.Configure(section)</c>, <c>Bind</c> and
/// <c>BindConfiguration</c> all add one, also if a source generator replaces them.</param>
internal sealed class OwnBindingValidator<TOptions>(IEnumerable<IOptionsChangeTokenSource<TOptions>> sources) : IValidateOptions<TOptions>
    where TOptions : class
{
    public ValidateOptionsResult Validate(string? name, TOptions options)
        => sources.Any(static source => source is ConfigurationChangeTokenSource<TOptions>)
            ? ValidateOptionsResult.Fail(
                $"{typeof(TOptions).Name} are bound to configuration with services.Configure<{typeof(TOptions).Name}>(section) or "
                + "Bind(section), which ignores the sections Workers, PostgreSql and Sqlite and every name that it does not know. Pass the "
                + "section to AddTaskRecovery(section) instead, with the options of the store in its section PostgreSql or Sqlite.")
            : ValidateOptionsResult.Success;
}
