using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>Signs in the user whom a header names, with the roles that another one lists.</summary>
internal sealed class HeaderAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string Name = "Header";
    public const string UserHeader = "Test-User";
    public const string RolesHeader = "Test-Roles";
    public const string SubjectHeader = "Test-Subject";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var user = Request.Headers[UserHeader].ToString();
        var subject = Request.Headers[SubjectHeader].ToString();
        if (user.Length == 0 && subject.Length == 0)
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        var roles = Request.Headers[RolesHeader].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries).Select(
            static role => new Claim(ClaimTypes.Role, role));
        Claim[] who =
        [
            .. user.Length == 0 ? (Claim[])[] : [new Claim(ClaimTypes.Name, user)],
            .. subject.Length == 0 ? (Claim[])[] : [new Claim("sub", subject)],
        ];
        var identity = new ClaimsIdentity([.. who, .. roles], Name);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Name)));
    }
}
