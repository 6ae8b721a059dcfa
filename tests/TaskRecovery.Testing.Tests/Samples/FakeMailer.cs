namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>A mail server that records what it has sent.</summary>
public sealed class FakeMailer
{
    public List<string> Sent { get; } = [];

    public static Task<string> RenderAsync(SendMail mail, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult($"<p>{mail.Subject}</p>");
    }

    public async Task SendAsync(string to, string body, CancellationToken cancellationToken)
    {
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        Sent.Add($"{to}: {body}");
    }
}
