using TaskRecovery.Cli.Connections;

namespace TaskRecovery.Cli.Tests.Output;

/// <summary>A password is removed from whatever is shown.</summary>
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
}
