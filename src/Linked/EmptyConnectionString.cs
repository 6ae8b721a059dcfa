namespace TaskRecovery.Configuration;

/// <summary>The first error of many newcomers: <c>GetConnectionString</c> has found nothing.</summary>
internal static class EmptyConnectionString
{
    /// <summary>Throws if there is no connection string.</summary>
    /// <param name="connectionString">The connection string.</param>
    /// <param name="method">The method that it was passed to.</param>
    /// <exception cref="ArgumentException">It is null, empty or blank.</exception>
    public static void Refuse(string? connectionString, string method)
    {
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            throw new ArgumentException(
                $"The connection string that was passed to {method} is {(connectionString is null ? "null" : "empty")}. "
                + "GetConnectionString(\"X\") returns null if ConnectionStrings:X is neither in appsettings.json, which is read from the "
                + "content root, nor in the environment (ConnectionStrings__X): check the name, and the folder that the program starts in.",
                nameof(connectionString));
        }
    }
}
