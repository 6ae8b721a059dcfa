namespace TaskRecovery.Testing;

/// <summary>Where the queue of an application under test is kept.</summary>
public enum TestStore
{
    /// <summary>In a temporary SQLite file, which replaces the application's store and is deleted with the host. Each host has its own, so
    /// tests can run in parallel.</summary>
    Sqlite = 0,

    /// <summary>In the application's own store, for example to enqueue in an <c>NpgsqlTransaction</c>. Configure a schema per test. The
    /// queue's time is then the database's, so <see cref="TaskRecoveryTest.AdvanceAsync"/> can't move it.</summary>
    Keep = 1,
}
