using System.CommandLine;
using TaskRecovery.Cli.Connections;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>The options that select entries.</summary>
internal sealed class EntryFilters
{
    private readonly Option<string[]> _states =
        new("--state") { Description = "The state: waiting, running, completed, failed or cancelled. May be repeated." };
    private readonly Option<string?> _queue = new("--queue") { Description = "The queue." };
    private readonly Option<string?> _kind = new("--kind") { Description = "The kind, or its beginning, as in 'mail.*'." };
    private readonly Option<string?> _endReason = new("--end-reason") { Description = "Why the entry ended, such as crash_loop." };
    private readonly Option<string?> _node =
        new("--node") { Description = "The name or id of the node that runs the entry or last ran it." };
    private readonly Option<string?> _job = new("--job") { Description = "The name or id of the job whose run the entry is." };
    private readonly Option<string?> _key = new("--key") { Description = "The unique key." };
    private readonly Option<string?> _createdFrom =
        new("--created-from") { Description = "Stored at this time or later: a time, or a duration before now such as 2h." };
    private readonly Option<string?> _createdTo = new("--created-to") { Description = "Stored before this time." };
    private readonly Option<string?> _endedFrom = new("--ended-from") { Description = "Ended at this time or later." };
    private readonly Option<string?> _endedTo = new("--ended-to") { Description = "Ended before this time." };
    private readonly Option<string?> _metadata = new("--metadata") { Description = "A name and value of the metadata, as in tenant=acme." };
    private readonly Option<string?> _text = new("--text") { Description = "A text that the arguments contain." };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        Option[] options =
        [
            _states, _queue, _kind, _endReason, _node, _job, _key, _createdFrom, _createdTo, _endedFrom, _endedTo, _metadata, _text,
        ];
        foreach (var option in options)
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Reads the options.</summary>
    public async Task<EntryQuery> ReadAsync(CommandCall call, CancellationToken cancellationToken)
    {
        var query = new EntryQuery
        {
            States = call.Get(_states) is { Length: > 0 } states
                ? [.. states.Select(static state => Values.Name<EntryState>("--state", state))]
                : null,
            Queue = call.Get(_queue),
            Kind = call.Get(_kind),
            Reason = call.Get(_endReason),
            Node = call.Get(_node),
            UniqueKey = call.Get(_key),
            CreatedFrom = Values.Past("--created-from", call.Get(_createdFrom)),
            CreatedTo = Values.Past("--created-to", call.Get(_createdTo)),
            EndedFrom = Values.Past("--ended-from", call.Get(_endedFrom)),
            EndedTo = Values.Past("--ended-to", call.Get(_endedTo)),
            Metadata = Values.Pair("--metadata", call.Get(_metadata)),
            Text = call.Get(_text),
        };
        return call.Get(_job) is { } job
            ? query with { JobId = await FindJobAsync(call.Store, job, cancellationToken).ConfigureAwait(false) }
            : query;
    }

    /// <summary>Describes a query by the options that select the same. A trace and a scope have no option: other tools set
    /// them.</summary>
    public static string Describe(EntryQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        (string Option, string? Value)[] conditions =
        [
            .. (query.States ?? []).Select(static state => ("--state", (string?)state.ToString())),
            ("--queue", query.Queue),
            ("--kind", query.Kind),
            ("--end-reason", query.Reason),
            ("--node", query.Node),
            ("--job", query.JobId?.ToString()),
            ("--key", query.UniqueKey),
            ("--created-from", Time(query.CreatedFrom)),
            ("--created-to", Time(query.CreatedTo)),
            ("--ended-from", Time(query.EndedFrom)),
            ("--ended-to", Time(query.EndedTo)),
            ("--metadata", query.Metadata is { } pair ? $"{pair.Key}={pair.Value}" : null),
            ("--text", query.Text),
            ("trace", query.TraceId),
            .. (query.Scope?.Queues ?? []).Select(static queue => ("scope: queue", (string?)queue)),
            .. (query.Scope?.Kinds ?? []).Select(static kind => ("scope: kind", (string?)kind)),
            ("scope: metadata", query.Scope?.Metadata is { } part ? $"{part.Key}={part.Value}" : null),
        ];
        return string.Join(' ', conditions.Where(static one => one.Value is not null).Select(static one => $"{one.Option} '{one.Value}'"));

        static string? Time(DateTimeOffset? time) => time is null ? null : Format.Time(time);
    }

    /// <summary>Finds a job by its name or id.</summary>
    public static async Task<Guid> FindJobAsync(StoreSession store, string nameOrId, CancellationToken cancellationToken)
    {
        if (nameOrId.Length > 0 && await store.Jobs.GetByNameAsync(nameOrId, cancellationToken).ConfigureAwait(false) is { } named)
        {
            return named.Id;
        }

        return Guid.TryParse(nameOrId, out var id) && await store.Jobs.GetAsync(id, cancellationToken).ConfigureAwait(false) is not null
            ? id
            : throw new CommandException(ExitCodes.NotFound, $"There is no job '{nameOrId}'. 'taskrecovery jobs' lists all.");
    }
}
