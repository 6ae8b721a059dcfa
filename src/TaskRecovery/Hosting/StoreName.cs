namespace TaskRecovery.Hosting;

/// <summary>The store that the application selected.</summary>
/// <param name="Name">The extension method that selected it, such as <c>UsePostgreSql</c>.</param>
/// <param name="Database">What tells its database from others; <see langword="null"/> if the container decides.</param>
internal sealed record StoreName(string Name, string? Database)
{
    /// <summary>The name alone: a connection string may contain a password, and a listing of services shows this text.</summary>
    public override string ToString() => Name;
}
