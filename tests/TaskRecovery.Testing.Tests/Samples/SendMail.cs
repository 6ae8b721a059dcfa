namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>The mail of the documentation's samples.</summary>
[JobKind("mail.send")]
public sealed record SendMail(string To, string Subject);
