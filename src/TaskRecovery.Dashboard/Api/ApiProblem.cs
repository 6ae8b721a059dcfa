namespace TaskRecovery.Dashboard.Api;

/// <summary>Why a request was not answered, in the form of RFC 9457.</summary>
internal sealed record ApiProblem(int Status, string Title, string Detail);
