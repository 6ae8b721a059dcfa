namespace TaskRecovery.WebSample;

/// <summary>Sends a mail, through a provider that fails one time in five.</summary>
internal sealed class SendMailWorker(Gateway gateway) : IJobWorker<SendMail>
{
    public Task WorkAsync(WorkContext<SendMail> context, CancellationToken cancellationToken)
        => gateway.CallAsync("The mail provider", 300, 20, cancellationToken);
}
