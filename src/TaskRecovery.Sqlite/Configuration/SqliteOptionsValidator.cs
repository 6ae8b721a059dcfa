using Microsoft.Extensions.Options;

namespace TaskRecovery.Sqlite;

/// <summary>Rejects invalid options before anything is opened.</summary>
internal sealed class SqliteOptionsValidator : IValidateOptions<SqliteOptions>
{
    public ValidateOptionsResult Validate(string? name, SqliteOptions options)
    {
        var errors = new List<string>();
        Check(errors, nameof(SqliteOptions.PollInterval), options.PollInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1));
        Check(errors, nameof(SqliteOptions.BusyTimeout), options.BusyTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        if (!Enum.IsDefined(options.Synchronous))
        {
            errors.Add($"SqliteOptions.Synchronous is {options.Synchronous}; it must be Full or Normal.");
        }

        const UnixFileMode Needed = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        const UnixFileMode Possible =
            Needed | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        if ((options.UnixCreateMode & Needed) != Needed || (options.UnixCreateMode & ~Possible) != UnixFileMode.None)
        {
            errors.Add($"SqliteOptions.UnixCreateMode is {options.UnixCreateMode}; it must have UserRead and UserWrite, "
                + "and may have the same rights for the group and for others.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void Check(List<string> errors, string property, TimeSpan value, TimeSpan least, TimeSpan most)
    {
        if (value < least || value > most)
        {
            errors.Add($"SqliteOptions.{property} is {value}; it must be {least} to {most}.");
        }
    }
}
