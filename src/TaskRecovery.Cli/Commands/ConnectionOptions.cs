using System.CommandLine;
using TaskRecovery.Cli.Connections;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>The options that name the database: a connection string, or a file of settings that has one.</summary>
internal sealed class ConnectionOptions(Terminal terminal)
{
    private readonly Option<string?> _connection = new("--connection", "-c")
    {
        Description = $"The connection string. Default: the environment variable {ConnectionText.Variable}.",
        Recursive = true,
    };

    private readonly Option<string?> _settings = new("--settings")
    {
        Description = "A file such as appsettings.json whose ConnectionStrings has the connection string.",
        Recursive = true,
    };

    private readonly Option<string?> _name = new("--name")
    {
        Description = "The name in ConnectionStrings. It may be omitted if there is only one.",
        Recursive = true,
    };

    private string? _fromSettings;

    /// <summary>Adds the options to the root command.</summary>
    public void AddTo(RootCommand root)
    {
        root.Options.Add(_connection);
        root.Options.Add(_settings);
        root.Options.Add(_name);
    }

    /// <summary>The connection string as far as it is known yet. Reading it can't fail.</summary>
    public string? InUse(ParseResult parsed) => _fromSettings ?? Given(parsed) ?? terminal.Variable(ConnectionText.Variable);

    /// <summary>Reads the connection string.</summary>
    /// <exception cref="CommandException">There is none, or it can't be read.</exception>
    public ConnectionText Read(ParseResult parsed)
    {
        var (given, file, name) = (Given(parsed), parsed.GetValue(_settings), parsed.GetValue(_name));
        if (file is null)
        {
            return name is null
                ? ConnectionText.Parse(given is null ? terminal.Variable(ConnectionText.Variable) : WarnOfPassword(given))
                : throw CommandException.Usage($"--name is '{name}', and there is no --settings: name the file that has it.");
        }

        if (given is not null)
        {
            throw CommandException.Usage("--connection and --settings exclude each other: use one of them.");
        }

        _fromSettings = SettingsFile.Read(file, name);
        return ConnectionText.Parse(_fromSettings, Path.GetDirectoryName(Path.GetFullPath(file)));
    }

    private string? Given(ParseResult parsed) => parsed.GetResult(_connection) is { Tokens: [var token, ..] } ? token.Value : null;

    private string WarnOfPassword(string given)
    {
        if (ConnectionText.HasPassword(given))
        {
            new Printer(terminal).Note(
                "Other users of this machine can see a password on the command line. "
                + $"Use the environment variable {ConnectionText.Variable}.");
        }

        return given;
    }
}
