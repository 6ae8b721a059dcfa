using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;
using SQLitePCL;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Commands;

/// <summary>How the doctor asks. A question that fails costs only the checks that need its answer: what is slow, damaged or without rights
/// is what the other checks explain.</summary>
internal static class DoctorCheck
{
    /// <summary>Waits for the answer to a question that several checks use.</summary>
    /// <returns>The task, which throws if the question failed.</returns>
    public static async Task<Task<T>> AskAsync<T>(ValueTask<T> question)
    {
        var asked = question.AsTask();
        try
        {
            await asked.ConfigureAwait(false);
        }
        catch (Exception exception) when (IsOfOneQuestion(exception))
        {
            // The checks that use the answer report it.
        }

        return asked;
    }

    /// <summary>Makes a check: what it has found, that it has found nothing, or that it was not possible.</summary>
    public static async Task<IReadOnlyList<StoreFinding>> TryAsync(string check, Func<Task<IEnumerable<StoreFinding>>> examine)
    {
        try
        {
            StoreFinding[] found = [.. await examine().ConfigureAwait(false)];
            return found.Length > 0 ? found : [new StoreFinding(check, FindingLevel.Ok, "Nothing found.")];
        }
        catch (Exception exception) when (IsOfOneQuestion(exception))
        {
            // The message of a time limit is about queries of a program.
            var repair = exception is TimeoutException
                ? "The database needed too long to answer. Repair what else is found, then repeat this command."
                : exception.Message;
            return [new StoreFinding(check, FindingLevel.Warning, "This could not be checked.", repair)];
        }
    }

    /// <summary>Makes groups of checks, one after the other. If the database is lost, the groups before are kept, and a finding says that
    /// they are not all.</summary>
    /// <param name="groups">Make the checks of a group, and are given what was found before.</param>
    /// <returns>The findings, and how the database was lost; <see langword="null"/> if it was not.</returns>
    /// <exception cref="StoreUnavailableException">The first group could not reach the database.</exception>
    public static async Task<(IReadOnlyList<StoreFinding> Found, Exception? Lost)> CollectAsync(
        IEnumerable<Func<IReadOnlyList<StoreFinding>, Task<IReadOnlyList<StoreFinding>>>> groups)
    {
        List<StoreFinding> found = [];
        foreach (var group in groups)
        {
            try
            {
                found.AddRange(await group(found).ConfigureAwait(false));
            }
            catch (Exception exception) when (found.Count > 0 && Failure.IsNotReachable(exception))
            {
                found.Add(new StoreFinding(
                    "connection", FindingLevel.Problem, "The database was lost: the checks after these could not be made.",
                    exception.Message));
                return (found, exception);
            }
        }

        return (found, null);
    }

    // Without a session, or with a file that is no database, every question would fail with the same error. An error with which the
    // database has answered is of this question, also if the library can't know whether a later attempt would succeed.
    internal static bool IsOfOneQuestion(Exception exception) => exception switch
    {
        TaskRecoveryException { InnerException: PostgresException error } => StatementErrors.IsOfOneStatement(error),
        TaskRecoveryException { InnerException: SqliteException { SqliteErrorCode: var code } }
            => code is not (raw.SQLITE_NOTADB or raw.SQLITE_CANTOPEN or raw.SQLITE_BUSY),
        StoreUnavailableException => false,
        TaskRecoveryException or TimeoutException or DbException => true,
        _ => false,
    };
}
