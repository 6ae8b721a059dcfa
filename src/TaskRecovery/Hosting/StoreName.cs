namespace TaskRecovery.Hosting;

/// <summary>The store that the application selected.</summary>
/// <param name="Name">The extension method that selected it, such as <c>UsePostgreSql</c>.</param>
internal sealed record StoreName(string Name);
