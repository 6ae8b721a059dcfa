using System.Data.Common;
using System.Text;
using TaskRecovery.Cli.Commands;
using TaskRecovery.Cli.Connections;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Import;

/// <summary>Creates what a source has, or says what it would create. Nothing is created twice.</summary>
/// <param name="call">The call of the command.</param>
/// <param name="source">The other system.</param>
/// <param name="records">What was imported before.</param>
/// <param name="maxAttempts">How many attempts everything has; <see langword="null"/> for what the source says.</param>
internal sealed class Importer(CommandCall call, IImportSource source, ImportRecords records, int? maxAttempts)
{
    private const int BatchSize = 500;
    private const int MaxKeyBytes = 255;
    private const string Before = "imported before";

    private readonly Dictionary<string, List<(ImportItem Item, PlannedEntry Entry)>> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<ImportVerdict, int> _counts = [];
    private readonly List<ImportedItem> _items = [];

    public async Task<ImportResult> RunAsync(CancellationToken cancellationToken)
    {
        if (!call.IsDryRun)
        {
            await records.CreateTableAsync(cancellationToken).ConfigureAwait(false);
        }

        await foreach (var read in source.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var item = read with { MaxAttempts = maxAttempts ?? read.MaxAttempts };
            if (item is { Refusal: null, Entry: { } entry })
            {
                await AddAsync(item, entry, cancellationToken).ConfigureAwait(false);
            }
            else if (item is { Refusal: null, Job: { } job })
            {
                await CreateAsync(item, job, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                Report(item, ImportVerdict.Refused, what: null, item.Refusal);
            }
        }

        foreach (var (kind, batch) in _entries)
        {
            await CreateAsync(kind, batch, cancellationToken).ConfigureAwait(false);
        }

        return new ImportResult(
            source.Name, call.IsDryRun,
            Count(call.IsDryRun ? ImportVerdict.WouldCreate : ImportVerdict.Created), Count(ImportVerdict.Exists),
            Count(ImportVerdict.Refused), _items);
    }

    private int Count(ImportVerdict verdict) => _counts.GetValueOrDefault(verdict);

    private async Task AddAsync(ImportItem item, PlannedEntry entry, CancellationToken cancellationToken)
    {
        if (!_entries.TryGetValue(entry.Kind, out var batch))
        {
            _entries.Add(entry.Kind, batch = []);
        }

        batch.Add((item, entry));
        if (batch.Count == BatchSize)
        {
            await CreateAsync(entry.Kind, batch, cancellationToken).ConfigureAwait(false);
            batch.Clear();
        }
    }

    private async Task CreateAsync(
        string kind, List<(ImportItem Item, PlannedEntry Entry)> batch, CancellationToken cancellationToken)
    {
        if (batch.Count == 0)
        {
            return;
        }

        if (call.IsDryRun)
        {
            var known = await records.FindAsync(source.Name, [.. batch.Select(static one => one.Item.Id)], cancellationToken)
                .ConfigureAwait(false);
            foreach (var (item, entry) in batch)
            {
                Report(item, entry, known.Contains(item.Id) ? ImportVerdict.Exists : ImportVerdict.WouldCreate);
            }

            return;
        }

        var session = call.Store.ForKind(kind);
        await using (session.ConfigureAwait(false))
        {
            await session.PrepareAsync(cancellationToken).ConfigureAwait(false);
            await StoreAsync(session, batch, cancellationToken).ConfigureAwait(false);
        }
    }

    // The record and the entries are stored in one transaction: after a kill, either both are there or neither.
    private async Task StoreAsync(
        StoreSession session, List<(ImportItem Item, PlannedEntry Entry)> batch, CancellationToken cancellationToken)
    {
        try
        {
            var transaction = await records.BeginAsync(cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                await StoreAsync(session, batch, transaction, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (ArgumentException exception) when (batch.Count == 1)
        {
            Report(batch[0].Item, ImportVerdict.Refused, what: null, Failure.TextOf(exception));
        }
        catch (ArgumentException)
        {
            // The library refuses one of them, so that nothing was stored. Store each alone.
            foreach (var one in batch)
            {
                await StoreAsync(session, [one], cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task StoreAsync(
        StoreSession session, List<(ImportItem Item, PlannedEntry Entry)> batch, DbTransaction transaction,
        CancellationToken cancellationToken)
    {
        var added = await records.AddAsync(source.Name, [.. batch.Select(static one => one.Item.Id)], transaction, cancellationToken)
            .ConfigureAwait(false);
        var created = batch.Where(one => added.Contains(one.Item.Id)).ToList();
        var results = await session.Queue.EnqueueManyAsync(
            created.Select(one => EnqueueRequest.Create(one.Entry.Args, OptionsOf(one.Item, one.Entry))), transaction, cancellationToken)
            .ConfigureAwait(false);
        await ImportRecords.CommitAsync(transaction, cancellationToken).ConfigureAwait(false);
        var isNew = created.Zip(results, static (one, result) => (one.Item.Id, result.IsDuplicate))
            .Where(static one => !one.IsDuplicate).Select(static one => one.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var (item, entry) in batch)
        {
            Report(item, entry, isNew.Contains(item.Id) ? ImportVerdict.Created : ImportVerdict.Exists);
        }
    }

    private async Task CreateAsync(ImportItem item, PlannedJob job, CancellationToken cancellationToken)
    {
        string[] id = [item.Id];
        var what = job.Describe(item.MaxAttempts);
        if ((await records.FindAsync(source.Name, id, cancellationToken).ConfigureAwait(false)).Count > 0)
        {
            Report(item, ImportVerdict.Exists, what, Before);
            return;
        }

        // A job that was declared here meanwhile, or was created by an import that was killed before it recorded the job.
        if (await call.Store.Jobs.GetByNameAsync(job.Definition.Name, cancellationToken).ConfigureAwait(false) is not null)
        {
            Report(item, ImportVerdict.Exists, what, "there is a job of this name, which stays as it is");
            return;
        }

        if (call.IsDryRun)
        {
            Report(item, ImportVerdict.WouldCreate, what, reason: null);
            return;
        }

        try
        {
            var session = call.Store.ForKind(job.Kind);
            await using (session.ConfigureAwait(false))
            {
                var definition = job.Definition with { MaxAttempts = item.MaxAttempts };
                await session.PrepareAsync(cancellationToken).ConfigureAwait(false);
                await session.Jobs.CreateOrUpdateAsync(definition, job.Args, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (ArgumentException exception)
        {
            Report(item, ImportVerdict.Refused, what: null, Failure.TextOf(exception));
            return;
        }

        await records.AddAsync(source.Name, id, transaction: null, cancellationToken).ConfigureAwait(false);
        Report(item, ImportVerdict.Created, what, reason: null);
    }

    private EnqueueOptions OptionsOf(ImportItem item, PlannedEntry entry)
    {
        var key = $"{source.Name}:{item.Id}";
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["importedFrom"] = key,
            ["importedBy"] = call.Audit.Actor,
        };
        if (call.Audit.Reason is { } reason)
        {
            metadata.Add("importReason", reason);
        }

        return new EnqueueOptions
        {
            Queue = entry.Queue,
            RunAt = entry.RunAt,
            MaxAttempts = item.MaxAttempts,
            Metadata = metadata,
            UniqueKey = Encoding.UTF8.GetByteCount(key) <= MaxKeyBytes ? key : null,
        };
    }

    private void Report(ImportItem item, PlannedEntry entry, ImportVerdict verdict)
        => Report(item, verdict, entry.Describe(item.MaxAttempts), verdict == ImportVerdict.Exists ? Before : null);

    private void Report(ImportItem item, ImportVerdict verdict, string? what, string? reason)
    {
        _counts[verdict] = Count(verdict) + 1;
        if (call.AsJson)
        {
            _items.Add(new ImportedItem(item.Id, item.Name, verdict, what, reason));
            return;
        }

        call.Printer.Line(verdict switch
        {
            ImportVerdict.Created => $"{item.Name}: created {what}",
            ImportVerdict.WouldCreate => $"{item.Name}: would create {what}",
            ImportVerdict.Exists => $"{item.Name}: not created, {reason}: {what}",
            _ => $"{item.Name}: can't be imported: {reason}",
        });
    }
}
