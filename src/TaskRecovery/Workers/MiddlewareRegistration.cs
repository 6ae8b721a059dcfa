using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Workers;

/// <summary>A registered middleware.</summary>
internal sealed record MiddlewareRegistration(Type Type);
