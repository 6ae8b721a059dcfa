using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Security;

public sealed class SqliteScopeTests() : ScopeTests(new RealStore(isPostgres: false));
