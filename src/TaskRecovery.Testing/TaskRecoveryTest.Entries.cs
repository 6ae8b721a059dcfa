namespace TaskRecovery.Testing;

/// <content>What the application has enqueued.</content>
public sealed partial class TaskRecoveryTest
{
    /// <summary>Checks that an entry was enqueued, in whatever state it is now.</summary>
    /// <param name="match">Returns whether the arguments are the expected ones; <see langword="null"/> for any.</param>
    /// <param name="count">How many such entries are expected; <see langword="null"/> for one or more.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    /// <returns>The first such entry.</returns>
    /// <exception cref="TestFailedException">There is none, or not as many as expected. The message lists what was enqueued.</exception>
    public async Task<EnqueuedEntry<TArgs>> ShouldHaveEnqueuedAsync<TArgs>(
        Func<TArgs, bool>? match = null, int? count = null, CancellationToken cancellationToken = default)
        where TArgs : notnull
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count ?? 1, 1, nameof(count));
        var found = await FindAsync(match, cancellationToken).ConfigureAwait(false);
        return found.Count == 0 || (count is { } expected && found.Count != expected)
            ? throw await _entries.FailAsync<TArgs>($"{(count is null ? "An entry" : $"{count} entries")} "
                + $"of {typeof(TArgs).Name} {(match is null ? "" : "with matching arguments ")}should have been enqueued, "
                + $"but there {(found.Count == 1 ? "is 1" : $"are {found.Count}")}.", cancellationToken).ConfigureAwait(false)
            : found[0];
    }

    /// <summary>Checks that no such entry was enqueued.</summary>
    /// <param name="match">Returns whether the arguments are the ones that are not expected; <see langword="null"/> for any.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    /// <exception cref="TestFailedException">There is one. The message lists what was enqueued.</exception>
    public async Task ShouldNotHaveEnqueuedAsync<TArgs>(Func<TArgs, bool>? match = null, CancellationToken cancellationToken = default)
        where TArgs : notnull
    {
        if ((await FindAsync(match, cancellationToken).ConfigureAwait(false)).Count is > 0 and var count)
        {
            throw await _entries.FailAsync<TArgs>(
                $"No entry of {typeof(TArgs).Name} {(match is null ? "" : "with matching arguments ")}should have been enqueued, "
                + $"but there {(count == 1 ? "is 1" : $"are {count}")}.", cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Lists the entries of one kind, oldest first.</summary>
    /// <param name="cancellationToken">Cancels the reads.</param>
    /// <exception cref="TestFailedException">The kind is not registered. The message lists the kinds that are.</exception>
    public async Task<IReadOnlyList<EnqueuedEntry<TArgs>>> ListEntriesAsync<TArgs>(CancellationToken cancellationToken = default)
        where TArgs : notnull
        => await _entries.ListAsync<TArgs>(cancellationToken).ConfigureAwait(false);

    private async Task<List<EnqueuedEntry<TArgs>>> FindAsync<TArgs>(Func<TArgs, bool>? match, CancellationToken cancellationToken)
        where TArgs : notnull
    {
        var entries = await _entries.ListAsync<TArgs>(cancellationToken).ConfigureAwait(false);
        return match is null ? entries : entries.FindAll(entry => match(entry.Args));
    }
}
