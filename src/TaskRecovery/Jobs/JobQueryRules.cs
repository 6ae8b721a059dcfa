using System.Text;
using TaskRecovery.Rules;

namespace TaskRecovery.Jobs;

/// <summary>What a question about jobs may contain.</summary>
internal static class JobQueryRules
{
    private const int MaxPage = 1_000;
    private const int MaxExamined = 1_000_000;
    private const int MaxTextBytes = 1_000;

    /// <summary>Checks a query for jobs.</summary>
    public static void Check(JobQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (query.Limit is < 1 or > MaxPage)
        {
            throw new ArgumentOutOfRangeException(
                nameof(query), query.Limit, $"{nameof(query.Limit)} is {query.Limit}: use 1 to {MaxPage:N0}.");
        }

        if (query.LookAtMost is < 1 or > MaxExamined)
        {
            throw new ArgumentOutOfRangeException(
                nameof(query), query.LookAtMost, $"{nameof(query.LookAtMost)} is {query.LookAtMost}: use 1 to {MaxExamined:N0}.");
        }

        CheckText(query.NameContains, nameof(query.NameContains));
    }

    /// <summary>Checks the ids of jobs.</summary>
    public static void Check(IReadOnlyCollection<Guid> jobIds)
    {
        ArgumentNullException.ThrowIfNull(jobIds);
        if (jobIds.Count > MaxPage)
        {
            throw new ArgumentException($"{jobIds.Count:N0} ids of jobs are given: use at most {MaxPage:N0}.", nameof(jobIds));
        }
    }

    private static void CheckText(string? text, string property)
    {
        var rule = text switch
        {
            null => null,
            { Length: 0 } => "leave it null for no condition",
            _ when text.Contains('\0', StringComparison.Ordinal) => "it has a NUL character, which no name has",
            _ when Encoding.UTF8.GetByteCount(text) > MaxTextBytes => $"use at most {MaxTextBytes:N0} bytes",
            _ => null,
        };
        if (rule is not null)
        {
            var shown = text!.Length > MaxTextBytes ? text[..50] + "..." : text;
            throw new ArgumentException($"{property} is '{EntryText.Shown(shown)}': {rule}.", property);
        }
    }
}
