using System.CommandLine;
using TaskRecovery.Cli.Errors;

namespace TaskRecovery.Cli.Commands;

/// <summary>Selects the entries of an action: ids, filters, or all.</summary>
internal sealed class EntrySelection
{
    private static readonly EntryQuery Everything = new();

    private readonly EntryFilters _filters = new();
    private readonly Argument<string[]> _ids = new("ID") { Description = "The ids of the entries.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<bool> _all =
        new("--all") { Description = "All entries that can be changed. Required if there is neither an id nor a filter." };

    /// <summary>Adds the argument and the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Arguments.Add(_ids);
        command.Options.Add(_all);
        _filters.AddTo(command);
    }

    /// <summary>Reads the selection.</summary>
    /// <returns>The ids, or the query, exactly one of them.</returns>
    public async Task<(IReadOnlyCollection<long>? Ids, EntryQuery? Query)> ReadAsync(CommandCall call, CancellationToken cancellationToken)
    {
        long[] ids = [.. (call.Get(_ids) ?? []).Select(Values.Id).Distinct()];
        var query = await _filters.ReadAsync(call, cancellationToken).ConfigureAwait(false);

        // The kind '*' is every kind, as what is left of a pattern whose beginning was empty.
        var isFiltered = query != Everything && query != Everything with { Kind = "*" };
        return (ids.Length > 0, isFiltered, call.Get(_all)) switch
        {
            (true, false, false) => (ids, null),
            (false, true, false) or (false, false, true) => (null, query),
            (false, false, false) => throw CommandException.Usage("Nothing is selected: give ids, filters such as --kind, or --all."),
            _ => throw CommandException.Usage("Ids, filters and --all exclude each other: use one of them."),
        };
    }
}
