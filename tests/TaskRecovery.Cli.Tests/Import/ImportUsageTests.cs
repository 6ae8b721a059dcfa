namespace TaskRecovery.Cli.Tests.Import;

/// <summary>Mistakes on the command line of an import.</summary>
public sealed class ImportUsageTests
{
    [Theory]
    [InlineData(2, "there is no environment variable of this name", "--from", "NONE")]
    [InlineData(2, "names a file of SQLite", "--from", "Data Source=old.db")]
    [InlineData(3, "database old on 127.0.0.1:1 (--from)", "--from", "Host=127.0.0.1;Port=1;Database=old;Password=secret1")]
    [InlineData(2, "write a type and its kind", "--from", "NONE", "--map", "Mailer=")]
    [InlineData(2, "two arguments have the same name", "--from", "NONE", "--map", "Mailer.Send=mail(a,a)")]
    [InlineData(2, "'Mailer' is mapped before", "--from", "NONE", "--map", "Mailer=a", "--map", "Mailer=b")]
    [InlineData(2, "neither a mapping such as", "--from", "NONE", "--map", "missing.json")]
    public async Task A_mistake_is_one_line(int exitCode, string message, params string[] args)
    {
        using var cli = await new CliFixture().MigratedAsync();

        var result = await cli.RunAsync(["import", "hangfire", .. args]);

        Assert.Equal((exitCode, ""), (result.ExitCode, result.Out));
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret1", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "is not a JSON object of texts")]
    [InlineData("""{"Mailer": 5}""", "is not a JSON object of texts")]
    [InlineData("{", "can't be read as JSON (line 1)")]
    [InlineData("""{"Mailer": "mail(a"}""", "maps 'Mailer' to 'mail(a': write a type")]
    public async Task A_file_of_mappings_that_can_not_be_read_is_refused(string json, string message)
    {
        using var cli = await new CliFixture().MigratedAsync();
        var file = Path.Combine(cli.Folder, "map.json");
        await File.WriteAllTextAsync(file, json, TestContext.Current.CancellationToken);

        (await cli.RunAsync("import", "quartz", "--from", "NONE", "--map", file)).AssertFailed(2, message);
    }

    [Fact]
    public async Task An_import_needs_the_name_of_the_other_system()
    {
        using var cli = new CliFixture();

        var result = await cli.RunAsync("import");

        Assert.Equal(2, result.ExitCode);
    }

    [Fact]
    public async Task Nothing_is_imported_where_nothing_may_be_changed()
    {
        using var cli = await new CliFixture().MigratedAsync();
        cli.Variables["TASKRECOVERY_READONLY"] = "1";

        (await cli.RunAsync("import", "hangfire", "--from", "NONE", "--yes")).AssertFailed(2, "changes the database");
    }
}
