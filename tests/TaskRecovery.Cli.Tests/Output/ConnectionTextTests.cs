using TaskRecovery.Cli.Connections;

namespace TaskRecovery.Cli.Tests.Output;

/// <summary>What of a connection string is shown: which database it is, and never the password.</summary>
public sealed class ConnectionTextTests
{
    [Theory]
    [InlineData("Host=a;Password=secret77", "the string 'Host=a;Password=secret77' is bad", "the string 'Host=a;Password=***' is bad")]
    [InlineData("Host=a;pwd = secret77;Port=1", "secret77 is wrong", "*** is wrong")]
    [InlineData("Host=a;Password='se;cret'", "Password='se;cret' or se;cret", "Password=*** or ***")]
    [InlineData("Host=a;Password=\"se;cret\"", "se;cret", "***")]
    [InlineData("Host=a;Password=no", "no such host; Password=no", "no such host; Password=***")]
    [InlineData(null, "nothing to hide", "nothing to hide")]
    public void A_password_is_redacted(string? connection, string message, string expected)
        => Assert.Equal(expected, ConnectionText.Redact(message, connection));

    [Theory]
    [InlineData("Host=localhost;Database=shop", "database shop on localhost")]
    [InlineData("Host=localhost;Port=5432;Database=shop", "database shop on localhost")]
    [InlineData("Host=localhost;Port=5433;Database=shop", "database shop on localhost:5433")]
    [InlineData("Host=db1,db2;Port=5433;Database=shop", "database shop on db1,db2, port 5433")]
    [InlineData("Host=::1;Port=5433;Database=shop", "database shop on ::1, port 5433")]
    public void A_database_is_named_with_a_port_that_is_not_the_usual_one(string connection, string expected)
        => Assert.Equal(expected, ConnectionText.Parse(connection).Where);
}
