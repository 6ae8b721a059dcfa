namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>The worker of the documentation's samples.</summary>
public sealed class SendMailWorker(FakeMailer mailer) : IJobWorker<SendMail>
{
    public async Task WorkAsync(WorkContext<SendMail> context, CancellationToken cancellationToken)
    {
        var body = await context.StepAsync("render", token => FakeMailer.RenderAsync(context.Args, token), cancellationToken);
        await context.StepAsync("send", token => mailer.SendAsync(context.Args.To, body, token), cancellationToken);
    }
}
