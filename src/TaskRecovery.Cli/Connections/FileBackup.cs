using Microsoft.Data.Sqlite;
using SQLitePCL;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Connections;

/// <summary>Copies a SQLite database with <c>vacuum into</c>, which reads one snapshot and keeps no writer waiting.</summary>
internal sealed class FileBackup(ConnectionText connection)
{
    /// <summary>Writes the copy. It gets its name when it is complete and on the disk; what an interrupted copy leaves has another
    /// name.</summary>
    /// <exception cref="CommandException">The target exists or can't be written, or the database can't be read.</exception>
    public async Task<BackupResult> CopyAsync(string file, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(file))
        {
            throw CommandException.Usage("FILE is empty: name the new file.");
        }

        var target = Path.GetFullPath(file);
        if (Path.Exists(target))
        {
            throw CommandException.Usage($"'{target}' exists already: name a new file, or remove it.");
        }

        var part = $"{target}.{Guid.NewGuid():N}.part";
        Create(part);
        try
        {
            await Task.Run(() => Copy(part, cancellationToken), cancellationToken).ConfigureAwait(false);
            using (var written = new FileStream(part, FileMode.Open, FileAccess.ReadWrite))
            {
                written.Flush(flushToDisk: true);
            }

            File.Move(part, target, overwrite: false);
            return new BackupResult(target, new FileInfo(target).Length);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(target, exception.Message);
        }
        finally
        {
            File.Delete(part);
        }
    }

    // Only the user may read it, as the database itself. 'vacuum into' takes an empty file.
    private static void Create(string part)
    {
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            new FileStream(part, options).Dispose();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Usage($"'{part}' can't be created: {exception.Message}");
        }
    }

    private void Copy(string part, CancellationToken cancellationToken)
    {
        var settings = new SqliteConnectionStringBuilder(connection.Text) { Mode = SqliteOpenMode.ReadWrite, Pooling = false };
        using var source = new SqliteConnection(settings.ConnectionString);
        try
        {
            source.Open();
            using var interrupt = cancellationToken.UnsafeRegister(
                static source => raw.sqlite3_interrupt(((SqliteConnection)source!).Handle!), source);
            using var command = source.CreateCommand();
            command.CommandText = "vacuum into $part";
            command.CommandTimeout = 0;
            command.Parameters.AddWithValue("$part", part);
            command.ExecuteNonQuery();
        }
        catch (SqliteException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode is raw.SQLITE_FULL)
        {
            throw NotWritten(part, "there is no room for it. The copy needs as much as the database without its free pages");
        }
        catch (SqliteException exception)
        {
            throw new CommandException(
                ExitCodes.NotUsable,
                $"The {connection.Where} can't be copied: {exception.Message.TrimEnd('.')}. Run 'taskrecovery doctor'.");
        }
    }

    private static CommandException NotWritten(string target, string why)
        => new(ExitCodes.NotUsable, $"'{target}' can't be written: {why.TrimEnd('.')}. Nothing was kept.");
}
