using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Stores;

public sealed class PostgreSqlStoreTests() : StoreTests(new RealStore(isPostgres: true));
