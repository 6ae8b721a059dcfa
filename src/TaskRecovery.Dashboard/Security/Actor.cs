using System.Security.Claims;
using TaskRecovery.Dashboard.Rendering;

namespace TaskRecovery.Dashboard.Security;

/// <summary>The name under which a user's actions are recorded.</summary>
/// <remarks>A display name is not enough: several users may have the same one, and each of them could start what another one has
/// prepared.</remarks>
internal static class Actor
{
    private const int MaxLength = 200;

    private static readonly string[] SubjectClaims = ["sub", ClaimTypes.NameIdentifier];
    private static readonly string[] ClientClaims = ["client_id", "azp", "appid"];

    /// <summary>The name that the application chooses; otherwise the user's name and id, or that of the client.</summary>
    public static string Of(ClaimsPrincipal user, Func<ClaimsPrincipal, string?>? choose)
    {
        if (choose?.Invoke(user) is { } chosen && !string.IsNullOrWhiteSpace(chosen))
        {
            return Fitted(InvisibleText.Shown(chosen.Trim()), "");
        }

        if (user.Identity is not { IsAuthenticated: true } identity)
        {
            return "anonymous";
        }

        var name = Given(identity.Name);
        var subject = Claim(user, SubjectClaims);
        return (name, subject) switch
        {
            (null, null) => Claim(user, ClientClaims) is { } client ? Fitted($"client {client}", "") : "unnamed user",
            (null, { } id) => Fitted(id, ""),
            ({ } named, null) => Fitted(named, ""),
            ({ } named, { } id) => named == id ? Fitted(id, "") : Fitted(named, $" ({id})"),
        };
    }

    private static string? Claim(ClaimsPrincipal user, string[] types)
        => types.Select(type => Given(user.FindFirst(type)?.Value)).FirstOrDefault(static value => value is not null);

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : InvisibleText.Shown(text.Trim());

    // The id is what tells users apart, so a long name is cut before it.
    private static string Fitted(string name, string id)
    {
        if (name.Length + id.Length <= MaxLength)
        {
            return name + id;
        }

        var room = MaxLength - Math.Min(id.Length, MaxLength - 1);
        room -= char.IsHighSurrogate(name[room - 1]) ? 1 : 0;
        return (name[..room] + id)[..Math.Min(room + id.Length, MaxLength)];
    }
}
