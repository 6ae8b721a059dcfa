namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>Bad input: the documented exit code, one line on standard error, and never a password.</summary>
public sealed class UsageTests : IDisposable
{
    private readonly CliFixture _cli = new();

    public void Dispose() => _cli.Dispose();

    [Theory]
    [InlineData(2, "Required command", "")]
    [InlineData(2, "'nope' is neither a command nor an option here.", "nope")]
    [InlineData(2, "'--nope' is neither a command nor an option here.", "status", "--nope")]
    [InlineData(2, "Required argument 'ID' missing", "show")]
    [InlineData(2, "ID is 'x': use the number of an entry", "show", "x")]
    [InlineData(6, "There is no entry 999", "show", "999")]
    [InlineData(2, "--state is 'done': use one of Waiting, Running", "list", "--state", "done")]
    [InlineData(2, "--state is '99': use one of", "list", "--state", "99")]
    [InlineData(2, "--created-from is 'yesterday': use a time such as", "list", "--created-from", "yesterday")]
    [InlineData(2, "--created-from is '11-12-2026': use a time such as", "list", "--created-from", "11-12-2026")]
    [InlineData(2, "--created-from is '22:30-01:00': use a time such as", "list", "--created-from", "22:30-01:00")]
    [InlineData(2, "--metadata is 'acme': write a name and a value", "list", "--metadata", "acme")]
    [InlineData(2, "Limit is '0': use 1 to 1,000", "list", "--limit", "0")]
    [InlineData(2, "--limit is 'many': use a whole number.", "list", "--limit", "many")]
    [InlineData(2, "--before is '7': use the id of a task", "tasks", "--before", "7")]
    [InlineData(6, "There is no job 'nope'", "list", "--job", "nope")]
    [InlineData(2, "Nothing is selected", "retry", "--yes")]
    [InlineData(2, "exclude each other", "cancel", "1", "--kind", "render", "--yes")]
    [InlineData(2, "The actor is empty", "cancel", "1", "--yes", "--actor", " ")]
    [InlineData(2, "--timeout is '50d': use at most 24d.", "status", "--timeout", "50d")]
    [InlineData(2, "a SQLite file has no schemas", "status", "--schema", "other")]
    public async Task Bad_input_is_explained(int exitCode, string message, params string[] args)
    {
        await _cli.MigratedAsync();

        (await _cli.RunAsync([.. args.Where(arg => arg.Length > 0)])).AssertFailed(exitCode, message);
    }

    [Theory]
    [InlineData(2, "No connection string: use -c", "")]
    [InlineData(2, "names neither a server nor a file", "Password=secret77")]
    [InlineData(2, "can't be read", "Host=localhost;Port=x;Password=secret77")]
    [InlineData(2, "can't be read", "secret77")]
    [InlineData(2, "in memory", "Data Source=:memory:;Password=secret77")]
    [InlineData(3, "does not exist", "Data Source=/nowhere/tasks.db;Password=secret77")]
    [InlineData(3, "PostgreSQL can't be reached", "Host=127.0.0.1;Port=1;Password=secret77;Timeout=2")]
    public async Task A_bad_connection_is_explained_without_its_password(int exitCode, string message, string connection)
    {
        _cli.Variables["TASKRECOVERY_CONNECTION"] = connection;

        var result = await _cli.RunAsync("status");

        result.AssertFailed(exitCode, message);
        Assert.DoesNotContain("secret77", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status", "Host=localhost;PSW=hunter22")]
    [InlineData("Host=localhost;Username=a;PSW=hunter22")]
    [InlineData("status", "postgres://anna:hunter22@localhost/tasks")]
    [InlineData("show", "Host=localhost;PSW=hunter22")]
    [InlineData("list", "--state", "Host=localhost;Psw = hunter22")]
    [InlineData("list", "--limit", "Server=localhost;PSW=hunter22")]
    [InlineData("list", "--job", "postgres://anna:hunter22@localhost/tasks")]
    [InlineData("pause", "Host=localhost;SslPassword=hunter22", "x", "--yes")]
    [InlineData("status", "-c", "Host=localhost;Port=x;PSW=hunter22")]
    [InlineData("status", "-c", "Host=127.0.0.1;Port=1;PSW=hunter22;Timeout=2")]
    public async Task A_connection_string_in_the_wrong_place_is_not_repeated(params string[] args)
    {
        await _cli.MigratedAsync();

        var result = await _cli.RunAsync(args);

        Assert.NotEqual(0, result.ExitCode);
        Assert.DoesNotContain("hunter22", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter22", result.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Data Source=/nowhere/tasks.db;PSW=hunter22", true)]
    [InlineData("Host=127.0.0.1;Port=1;Passfile=/home/anna/.pgpass;Timeout=2", false)]
    public async Task A_warning_is_about_passwords_and_not_about_their_file(string connection, bool expected)
        => Assert.Equal(
            expected,
            (await _cli.RunAsync("status", "-c", connection)).Error.Contains("can see a password", StringComparison.Ordinal));

    [Theory]
    [InlineData("cancel", "--kind", "*", "--yes")]
    [InlineData("retry", "--kind", "*", "--yes")]
    public async Task Every_kind_is_no_filter(params string[] args)
    {
        await _cli.MigratedAsync();

        (await _cli.RunAsync(args)).AssertFailed(2, "Nothing is selected");
    }

    [Fact]
    public async Task A_password_on_the_command_line_is_warned_of()
    {
        var result = await _cli.RunAsync("status", "-c", "Data Source=/nowhere/tasks.db;Password=secret77");

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("Other users of this machine can see a password on the command line.", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret77", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_not_usable()
    {
        await _cli.MigratedAsync();
        await Database.ExecuteAsync(
            _cli.ConnectionString,
            "insert into taskrecovery_migrations select 999, '999_future', checksum, '9.9.9', applied_at from taskrecovery_migrations "
            + "where version = 1");

        (await _cli.RunAsync("status")).AssertFailed(4, "is too new for TaskRecovery");
        (await _cli.RunAsync("migrate", "--check")).AssertFailed(4, "is too new for TaskRecovery");
    }

    [Fact]
    public async Task An_interrupted_command_has_an_exit_code_of_its_own()
    {
        await _cli.MigratedAsync();

        (await _cli.RunAsync(["check"], answer: null, cancellationToken: new CancellationToken(canceled: true)))
            .AssertFailed(130, "Interrupted.");
    }

    [Fact]
    public async Task Stored_text_cannot_control_the_terminal()
    {
        var id = await _cli.RunFailingAsync("red \e[31m bell \a reversed \u202E overlong \u009B2J");

        foreach (string[] args in (string[][])[["show", $"{id}"], ["list"], ["show", $"{id}", "--json"]])
        {
            foreach (var isRich in (bool[])[false, true])
            {
                _cli.Variables["NO_COLOR"] = "1";
                var shown = await _cli.RunAsync(args, answer: null, isRich);
                Assert.Equal(0, shown.ExitCode);
                Assert.DoesNotContain(shown.Out, character => character != '\n' && (char.IsControl(character) || character == '\u202E'));
            }
        }
    }
}
