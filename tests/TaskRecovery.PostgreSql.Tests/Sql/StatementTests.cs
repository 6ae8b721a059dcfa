using System.Reflection;
using Npgsql;
using TaskRecovery.PostgreSql.Tests.Conformance;

namespace TaskRecovery.PostgreSql.Tests.Sql;

public sealed class StatementTests : IAsyncLifetime
{
    private readonly PostgreSqlFixture _fixture = new();

    public async ValueTask InitializeAsync() => await _fixture.CreateAsync(migrate: true, TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task Every_statement_fits_the_migrated_schema()
    {
        await using var connection = (NpgsqlConnection)await _fixture.OpenConnectionAsync(TestContext.Current.CancellationToken);
        var misfits = new List<string>();
        foreach (var (name, text) in Statements())
        {
            // Statements of migrations run before there is a schema.
            if (name.StartsWith(nameof(MigrationSql), StringComparison.Ordinal))
            {
                continue;
            }

            try
            {
                await using var command = new NpgsqlCommand($"prepare statement as {text.Replace("{schema}.", "", StringComparison.Ordinal)}", connection);
                await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
                await using var deallocate = new NpgsqlCommand("deallocate statement", connection);
                await deallocate.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            }
            catch (PostgresException exception)
            {
                misfits.Add($"{name}: {exception.MessageText} at {exception.Position}");
            }
        }

        Assert.Empty(misfits);
    }

    private static IEnumerable<(string Name, string Text)> Statements()
        => from type in typeof(MigrationSql).Assembly.GetTypes()
           where type.Name.EndsWith("Sql", StringComparison.Ordinal) && type.IsAbstract && type.IsSealed
           from field in type.GetFields(BindingFlags.Static | BindingFlags.NonPublic)
           where field.IsLiteral && field.IsAssembly && field.FieldType == typeof(string)
           select ($"{type.Name}.{field.Name}", (string)field.GetRawConstantValue()!);
}
