namespace TaskRecovery.Hosting;

/// <summary>The store that was chosen.</summary>
/// <param name="Name">What the application called.</param>
internal sealed record StoreName(string Name);
