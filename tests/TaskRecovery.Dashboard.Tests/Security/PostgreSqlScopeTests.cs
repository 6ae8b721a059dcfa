using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Security;

public sealed class PostgreSqlScopeTests() : ScopeTests(new RealStore(isPostgres: true));
