using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>What can't hold a queue is refused where it is written, not when the host starts.</summary>
public sealed class ConnectionStringTests
{
    [Theory]
    [InlineData("Data Source=:memory:", "loses every entry")]
    [InlineData("Data Source=tasks;Mode=Memory;Cache=Shared", "loses every entry")]
    [InlineData("Data Source=", "names no file")]
    [InlineData("Cache=Shared", "names no file")]
    [InlineData("Data Source=file:tasks.db?mode=rw", "URI")]
    [InlineData("Data Source=tasks.db;Mode=ReadOnly", "writes")]
    public void A_connection_string_without_a_file_to_write_is_refused(string connectionString, string why)
    {
        var builder = new ServiceCollection().AddTaskRecovery();

        var error = Assert.ThrowsAny<ArgumentException>(() => builder.UseSqlite(connectionString));

        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Data Source=:memory:;Password=s3cret")]
    [InlineData("Data Source=tasks;Mode=Memory;Password=s3cret")]
    [InlineData("Data Source=;Password=s3cret")]
    [InlineData("Data Source=file:tasks.db?mode=rw;Password=s3cret")]
    [InlineData("Data Source=tasks.db;Mode=ReadOnly;Password=s3cret")]
    [InlineData("Data Source=tasks.db;Password=my;s3cret=1")]
    [InlineData("Data Source=tasks.db;Mode=s3cret")]
    [InlineData("Data Source=tasks.db;s3cret")]
    public void A_refused_connection_string_is_not_repeated(string connectionString)
    {
        var builder = new ServiceCollection().AddTaskRecovery();

        var error = Assert.ThrowsAny<ArgumentException>(() => builder.UseSqlite(connectionString));

        Assert.DoesNotContain("s3cret", error.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(1, 30_000, "PollInterval")]
    [InlineData(250, 10, "BusyTimeout")]
    public void An_option_out_of_range_is_refused_by_name(int pollMilliseconds, int busyMilliseconds, string property)
    {
        var services = new ServiceCollection();
        services.AddTaskRecovery().UseSqlite("Data Source=tasks.db", options =>
        {
            options.PollInterval = TimeSpan.FromMilliseconds(pollMilliseconds);
            options.BusyTimeout = TimeSpan.FromMilliseconds(busyMilliseconds);
        });
        using var provider = services.BuildServiceProvider();

        var error = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IOptions<SqliteOptions>>().Value);

        Assert.Contains(property, error.Message, StringComparison.Ordinal);
    }
}
