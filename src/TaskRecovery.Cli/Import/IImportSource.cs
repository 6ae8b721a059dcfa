namespace TaskRecovery.Cli.Import;

/// <summary>Another system whose tables are read. Nothing in them is changed.</summary>
internal interface IImportSource : IAsyncDisposable
{
    /// <summary>The name under which its ids are unique, such as <c>hangfire:shop.hangfire</c>.</summary>
    string Name { get; }

    /// <summary>Checks that the tables are those that this source reads.</summary>
    Task CheckAsync(CancellationToken cancellationToken);

    /// <summary>Finds what shows that the other system still runs, so that work would run there and here; <see langword="null"/> if
    /// nothing does.</summary>
    Task<string?> FindRunningAsync(CancellationToken cancellationToken);

    /// <summary>Reads what waits there.</summary>
    IAsyncEnumerable<ImportItem> ReadAsync(CancellationToken cancellationToken);
}
