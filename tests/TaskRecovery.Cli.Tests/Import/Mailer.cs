using Hangfire;

namespace TaskRecovery.Cli.Tests.Import;

/// <summary>What an application of Hangfire enqueues.</summary>
public sealed class Mailer
{
    private readonly List<string> _done = [];

    public void Send(int orderId, string to, IJobCancellationToken cancellation) => _done.Add($"{orderId} to {to} {cancellation}");

    public void Publish(Newsletter newsletter) => _done.Add($"{newsletter}");

    public void Remind(DateTime at) => _done.Add($"{at:O}");

    public void Digest(string team) => _done.Add(team);

    public void Unknown() => _done.Add("unknown");
}

public sealed record Newsletter(string Title, int[] Readers);
