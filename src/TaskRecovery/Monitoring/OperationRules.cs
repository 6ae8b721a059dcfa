using TaskRecovery.Rules;

namespace TaskRecovery.Monitoring;

/// <summary>What a request of an operator may contain. A message names the part, its value and what is allowed.</summary>
internal static class OperationRules
{
    /// <summary>The most ids of a bulk request.</summary>
    internal const int MaxIds = 10_000;

    private const int MaxActor = 200;
    private const int MaxReason = 2_000;
    private const int MaxTool = 50;
    private const int MaxKind = 200;

    /// <summary>Checks who does something, and why.</summary>
    public static void Check(AuditInfo audit)
    {
        ArgumentNullException.ThrowIfNull(audit);
        if (string.IsNullOrWhiteSpace(audit.Actor))
        {
            throw new ArgumentException("The actor is empty: say who does it, for example the name of the user.", nameof(audit));
        }

        CheckText(audit.Actor, MaxActor, "The actor", nameof(audit));
        CheckText(audit.Reason, MaxReason, "The reason", nameof(audit));
        CheckText(audit.Tool, MaxTool, "The tool", nameof(audit));
    }

    /// <summary>Checks what is paused or resumed, and who does it.</summary>
    public static void Check(PauseTarget target, AuditInfo audit)
    {
        ArgumentNullException.ThrowIfNull(target);
        Check(audit);
        if (target.QueueName is { } queue)
        {
            NameRules.Queue.Check(queue, "The queue", nameof(target));
        }

        CheckText(target.KindName, MaxKind, "The kind", nameof(target));
    }

    /// <summary>Checks the end of a pause.</summary>
    public static void CheckUntil(DateTimeOffset? until)
    {
        if (until > EntryLimits.LatestTime)
        {
            throw new ArgumentOutOfRangeException(
                nameof(until), until,
                $"The end of the pause is {until:O}; use a time before {EntryLimits.LatestTime:yyyy-MM-dd}, or none.");
        }
    }

    /// <summary>Checks a text that is stored.</summary>
    public static void CheckText(string? text, int maxLength, string what, string parameter)
    {
        if (text is { } some && some.Length > maxLength)
        {
            throw new ArgumentException($"{what} has {some.Length:N0} characters: use at most {maxLength:N0}.", parameter);
        }

        if (text is not null && EntryText.Problem(text) is { } problem)
        {
            throw new ArgumentException($"{what} '{EntryText.Shown(text)}' {problem}.", parameter);
        }
    }

    /// <summary>Checks how entries are retried.</summary>
    public static void Check(RetryOptions options)
    {
        QueryRules.CheckDefined(options.From, nameof(options.From));
        if (options.RunAt > EntryLimits.LatestTime)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), options.RunAt,
                $"{nameof(options.RunAt)} is {options.RunAt:O}: use a time before {EntryLimits.LatestTime:yyyy-MM-dd}.");
        }
    }

    /// <summary>Checks a bulk request, and restricts its query to entries that it can change.</summary>
    /// <returns>The query; <see langword="null"/> if ids select the entries.</returns>
    public static EntryQuery? Check(BulkRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Action is not (BulkAction.Retry or BulkAction.Cancel))
        {
            throw new ArgumentException($"{nameof(request.Action)} is '{request.Action}': "
                + $"use {nameof(BulkAction.Retry)} or {nameof(BulkAction.Cancel)}.", nameof(request));
        }

        if (request.Retry is { } retry)
        {
            Check(retry);
        }

        if (request.EntryIds is { } ids)
        {
            if (request.Query is not null)
            {
                throw new ArgumentException(
                    $"{nameof(request.Query)} and {nameof(request.EntryIds)} are both set: set one of them.", nameof(request));
            }

            if (request.Scope is { } scope)
            {
                QueryRules.Check(new EntryQuery { Scope = scope });
            }

            return ids.Count is >= 1 and <= MaxIds
                ? null
                : throw new ArgumentException(
                    $"{nameof(request.EntryIds)} has {ids.Count:N0} ids: use 1 to {MaxIds:N0}, or a query.", nameof(request));
        }

        if (request.Scope is not null)
        {
            throw new ArgumentException(
                $"{nameof(request.Scope)} is set for a query: set {nameof(EntryQuery)}.{nameof(EntryQuery.Scope)}.", nameof(request));
        }

        if (request.Query is not { } query)
        {
            throw new ArgumentException(
                $"Neither {nameof(request.Query)} nor {nameof(request.EntryIds)} is set: set one of them.", nameof(request));
        }

        QueryRules.Check(query);
        EntryState[] possible = request.Action == BulkAction.Retry
            ? [EntryState.Failed, EntryState.Cancelled]
            : [EntryState.Waiting, EntryState.Running];
        EntryState[] states = query.States is { Count: > 0 } wanted ? [.. possible.Where(wanted.Contains)] : possible;
        return states.Length > 0
            ? query with { States = states, Before = null, Limit = new EntryQuery().Limit, MaxExamined = new EntryQuery().MaxExamined }
            : throw new ArgumentException(
                $"{nameof(query.States)} is '{string.Join(", ", query.States!)}': {request.Action} changes only entries that "
                + $"are {string.Join(" or ", possible)}.", nameof(request));
    }
}
