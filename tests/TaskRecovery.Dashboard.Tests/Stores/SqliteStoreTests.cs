using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Stores;

public sealed class SqliteStoreTests() : StoreTests(new RealStore(isPostgres: false));
