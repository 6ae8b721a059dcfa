[TestClass]
public sealed class GreetingTests
{
    [TestMethod]
    public Task A_worker_runs_without_a_store() => GreetingScenario.RunWorkerAsync();

    [TestMethod]
    public Task A_worker_survives_a_crash_everywhere() => GreetingScenario.CrashEverywhereAsync();

    [TestMethod]
    public Task An_application_recovers_from_a_kill() => GreetingScenario.RunApplicationAsync();
}
