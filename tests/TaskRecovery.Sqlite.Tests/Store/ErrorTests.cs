using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>What an error of SQLite means: about a value, or about the moment.</summary>
public sealed class ErrorTests
{
    [Theory]
    [InlineData(raw.SQLITE_TOOBIG)]
    [InlineData(raw.SQLITE_CONSTRAINT)]
    [InlineData(raw.SQLITE_MISMATCH)]
    [InlineData(raw.SQLITE_RANGE)]
    public void A_value_that_is_refused_is_not_tried_again_as_it_is(int code)
        => Assert.IsType<ContentRefusedException>(SqliteErrors.Translate(new SqliteException("no", code, code), "tasks.db"));

    [Theory]
    [InlineData(raw.SQLITE_BUSY)]
    [InlineData(raw.SQLITE_IOERR)]
    [InlineData(raw.SQLITE_NOMEM)]
    [InlineData(raw.SQLITE_INTERRUPT)]
    public void Any_other_error_may_pass(int code)
        => Assert.IsType<StoreUnavailableException>(SqliteErrors.Translate(new SqliteException("no", code, code), "tasks.db"));
}
