using System.Security.Cryptography;
using System.Text;

namespace TaskRecovery.Cli.Web;

/// <summary>The rights of one browser: a token that is exchanged once for a secret, which the browser keeps as a cookie.</summary>
internal sealed class OneTimeSession
{
    private readonly string _token = Random();
    private readonly string _secret = Random();
    private int _isExchanged;

    /// <summary>The token for the link.</summary>
    public string Token => _token;

    /// <summary>The path of the pages, which other programs on this machine can't guess. A browser sends its cookies to all ports of a
    /// machine, but only to paths that begin with that of the cookie.</summary>
    public string Area { get; } = $"/{Random()[..16]}";

    /// <summary>Returns the secret for the right token, the first time.</summary>
    public string? Exchange(string token)
        => AreEqual(token, _token) && Interlocked.Exchange(ref _isExchanged, 1) == 0 ? _secret : null;

    /// <summary>Whether a cookie has the secret.</summary>
    public bool Accepts(string? secret) => secret is not null && Volatile.Read(ref _isExchanged) == 1 && AreEqual(secret, _secret);

    // The time of a comparison must not tell how many characters were right.
    private static bool AreEqual(string left, string right)
        => CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(left)), SHA256.HashData(Encoding.UTF8.GetBytes(right)));

    private static string Random() => RandomNumberGenerator.GetHexString(64, lowercase: true);
}
