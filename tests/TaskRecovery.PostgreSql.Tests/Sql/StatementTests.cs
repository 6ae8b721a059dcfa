using System.Reflection;
using Npgsql;
using TaskRecovery.PostgreSql.Tests.Conformance;

namespace TaskRecovery.PostgreSql.Tests.Sql;

public sealed class StatementTests : IAsyncLifetime
{
    // What begins otherwise is a part of a statement.
    private static readonly string[] Beginnings = ["select ", "insert ", "update ", "delete ", "with "];

    private readonly PostgreSqlFixture _fixture = new();

    public async ValueTask InitializeAsync() => await _fixture.CreateAsync(migrate: true, TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task Every_statement_fits_the_migrated_schema_and_needs_no_path_to_it()
    {
        await using var connection = (NpgsqlConnection)await _fixture.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var pin = new NpgsqlCommand(SessionSettings.Pin, connection);
        await pin.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
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
                await using var command = new NpgsqlCommand(
                    $"prepare statement as {text.Replace("{schema:literal}", _fixture.QuotedSchema, StringComparison.Ordinal)
                        .Replace("{schema}", _fixture.QuotedSchema, StringComparison.Ordinal)}", connection);
                await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
                await using var deallocate = new NpgsqlCommand("deallocate statement", connection);
                await deallocate.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.AmbiguousFunction)
            {
                // It unnests parameters whose types come with their values; the conformance suite runs it.
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.AmbiguousParameter
                && name.StartsWith($"{nameof(EntrySql)}.Enqueue", StringComparison.Ordinal))
            {
                // It compares a parameter that it also stores in a column with a domain. Its type comes with its value, as in PlanTests.
            }
            catch (PostgresException exception)
            {
                misfits.Add($"{name}: {exception.MessageText} at {exception.Position}");
            }
        }

        Assert.Empty(misfits);
    }

    // A checkpoint may have hundreds of megabytes, and an open page asks for the life every two seconds.
    [Fact]
    public void The_life_of_an_entry_reads_no_checkpoint() => Assert.DoesNotContain(
        "data", MonitorSql.Checkpoint.Replace("octet_length(c.data)", "", StringComparison.Ordinal), StringComparison.Ordinal);

    // A claim locks a row and deletes it at the address that it has locked. If the row was updated after the snapshot of the claim, that is
    // the address of a version that the snapshot does not show.
    [Fact]
    public void No_statement_updates_a_waiting_row()
        => Assert.DoesNotContain(
            Statements(), static statement => statement.Text.Contains("update {schema}.waiting", StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<(string Name, string Text)> Statements()
        => from type in typeof(MigrationSql).Assembly.GetTypes()
           where type.Name.EndsWith("Sql", StringComparison.Ordinal) && type.IsAbstract && type.IsSealed
           from field in type.GetFields(BindingFlags.Static | BindingFlags.NonPublic)
           where field.IsAssembly && field.FieldType == typeof(string)
           let text = (string)field.GetValue(null)!
           where Beginnings.Any(word => text.TrimStart().StartsWith(word, StringComparison.Ordinal))
           select ($"{type.Name}.{field.Name}", text);
}
