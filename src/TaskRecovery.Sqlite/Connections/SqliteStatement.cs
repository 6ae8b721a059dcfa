using System.Text;
using SQLitePCL;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>A prepared statement. All its parameters are bound by number before each use.</summary>
/// <remarks>Cheaper than a command with parameters: a claim of 1,000 entries runs 2,000 small statements, and the command objects would
/// cost more than the statements.</remarks>
internal sealed class SqliteStatement(sqlite3 connection, sqlite3_stmt handle, string text) : IDisposable
{
    public SqliteStatement Bind(int number, long value)
    {
        Check(raw.sqlite3_bind_int64(handle, number, value));
        return this;
    }

    public SqliteStatement Bind(int number, bool value) => Bind(number, value ? 1L : 0L);

    public SqliteStatement Bind(int number, long? value) => value is { } some ? Bind(number, some) : BindNull(number);

    public SqliteStatement Bind(int number, string? value)
    {
        if (value is null)
        {
            return BindNull(number);
        }

        Check(raw.sqlite3_bind_text(handle, number, Encoding.UTF8.GetBytes(value)));
        return this;
    }

    public SqliteStatement Bind(int number, Guid value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, bigEndian: true, out _);
        Check(raw.sqlite3_bind_blob(handle, number, bytes));
        return this;
    }

    public SqliteStatement Bind(int number, Guid? value) => value is { } some ? Bind(number, some) : BindNull(number);

    /// <summary>Binds text that is already UTF-8; empty text is bound as null.</summary>
    public SqliteStatement BindText(int number, ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty)
        {
            return BindNull(number);
        }

        Check(raw.sqlite3_bind_text(handle, number, utf8));
        return this;
    }

    public SqliteStatement BindNull(int number)
    {
        Check(raw.sqlite3_bind_null(handle, number));
        return this;
    }

    /// <summary>Advances to the next row.</summary>
    /// <returns><see langword="false"/> after the last row; the statement can then be used again.</returns>
    public bool Step() => IsRow(raw.sqlite3_step(handle));

    /// <summary>Runs the statement to its end.</summary>
    public void Execute()
    {
        while (Step())
        {
            // Ignore the rows.
        }
    }

    /// <summary>Runs the statement to its end, unless another connection holds a lock that it needs.</summary>
    /// <returns><see langword="false"/> if it does. That is no exception, because a wait for a lock makes a thousand attempts a
    /// second. If the database has changed since the transaction's first read, waiting does not help: that is one.</returns>
    public bool TryExecute()
    {
        var code = raw.sqlite3_step(handle);
        if (SqliteErrors.IsWorthWaiting(code, raw.sqlite3_extended_errcode(connection)))
        {
            Reset();
            return false;
        }

        while (IsRow(code))
        {
            code = raw.sqlite3_step(handle);
        }

        return true;
    }

    /// <summary>Runs the statement and returns the number of changed rows.</summary>
    public int ExecuteChanges()
    {
        Execute();
        return raw.sqlite3_changes(connection);
    }

    /// <summary>Returns whether there is a row.</summary>
    public bool Exists()
    {
        var found = Step();
        Reset();
        return found;
    }

    /// <summary>Returns the first column of the first row.</summary>
    public long? Scalar()
    {
        long? value = Step() ? NullableInt64(0) : null;
        Reset();
        return value;
    }

    /// <summary>Returns the first column of the first row as text.</summary>
    public string? ScalarText()
    {
        var value = Step() ? NullableText(0) : null;
        Reset();
        return value;
    }

    /// <summary>Discards the remaining rows.</summary>
    public void Reset() => raw.sqlite3_reset(handle);

    public long Int64(int column) => raw.sqlite3_column_int64(handle, column);

    public int Int32(int column) => raw.sqlite3_column_int(handle, column);

    /// <summary>Returns a number of attempts or crashes. Something else may have written one that has no room for another.</summary>
    public int Count(int column) => (int)Math.Clamp(Int64(column), 0, ClaimLimits.Counts);

    public bool Boolean(int column) => Int64(column) != 0;

    public bool IsNull(int column) => raw.sqlite3_column_type(handle, column) == raw.SQLITE_NULL;

    public bool IsInteger(int column) => raw.sqlite3_column_type(handle, column) == raw.SQLITE_INTEGER;

    public long? NullableInt64(int column) => IsNull(column) ? null : Int64(column);

    public string Text(int column) => raw.sqlite3_column_text(handle, column).utf8_to_string();

    public string? NullableText(int column) => IsNull(column) ? null : Text(column);

    /// <summary>Returns the bytes of a text or blob; valid until the next step.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(handle, column);

    public Guid Guid(int column) => new(Bytes(column), bigEndian: true);

    public Guid? NullableGuid(int column) => IsNull(column) ? null : Guid(column);

    public void Dispose() => handle.Dispose();

    private bool IsRow(int code)
    {
        switch (code)
        {
            case raw.SQLITE_ROW:
                return true;
            case raw.SQLITE_DONE:
                raw.sqlite3_reset(handle);
                return false;
            default:
                var error = SqliteErrors.Create(connection, code, text);
                raw.sqlite3_reset(handle);
                throw error;
        }
    }

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK)
        {
            throw SqliteErrors.Create(connection, code, text);
        }
    }
}
