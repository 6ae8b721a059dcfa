using Microsoft.Extensions.Options;
using TaskRecovery.Claims;
using TaskRecovery.Kinds;
using TaskRecovery.Storage;

namespace TaskRecovery.Testing.Hosts;

/// <summary>The queues and kinds that the application serves, and which of them a drain concerns.</summary>
internal sealed class ServedWork(KindRegistry kinds, IOptions<TaskRecoveryOptions> options)
{
    private readonly string[] _queues = [.. WorkService.ServedQueues(options.Value).Select(static queue => queue.Name)];

    public IReadOnlyCollection<string> AllQueues => _queues;

    public IReadOnlyCollection<string> Queues(DrainOptions drain)
        => Chosen(drain.Queues, _queues, nameof(DrainOptions.Queues), "serves the queues");

    public IReadOnlyCollection<string> Kinds(DrainOptions drain)
        => Chosen(drain.Kinds, kinds.WorkedKinds, nameof(DrainOptions.Kinds), "has workers for the kinds");

    /// <summary>Why the application can't run the entries of a kind in a queue; <see langword="null"/> if it can, or if the drain does not
    /// concern them.</summary>
    public UnservedWork? FindUnserved(string queue, string kind, DrainOptions drain)
    {
        var isWorked = kinds.WorkedKinds.Contains(kind, StringComparer.Ordinal);
        var isServed = _queues.Contains(queue, StringComparer.Ordinal);
        return (isWorked && isServed) || drain.Queues?.Contains(queue) == false || drain.Kinds?.Contains(kind) == false
            ? null
            : new UnservedWork
            {
                Kind = kind,
                Queue = queue,
                HasWorker = isWorked,
                IsExpected = kinds.WorkedKinds.Count == 0 || kinds.Find(kind) is { Registration.IsWorked: false },
            };
    }

    public PollRequest Request(Guid nodeId, DrainOptions drain) => new(nodeId, Queues(drain), Kinds(drain), WithUnknownKinds: false);

    private static IReadOnlyCollection<string> Chosen(
        IReadOnlyCollection<string>? chosen, IReadOnlyCollection<string> all, string option, string has)
        => chosen?.FirstOrDefault(name => !all.Contains(name, StringComparer.Ordinal)) is { } unknown
            ? throw new ArgumentException($"{nameof(DrainOptions)}.{option} names '{unknown}', "
                + $"but the application {has} {(all.Count == 0 ? "none" : string.Join(", ", all))}.", option)
            : chosen ?? all;
}
