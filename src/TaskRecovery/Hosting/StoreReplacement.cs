namespace TaskRecovery.Hosting;

/// <summary>Marks that the application's store is to be replaced, until the next one is selected.</summary>
internal sealed record StoreReplacement;
