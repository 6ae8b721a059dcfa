public sealed class GreetingTests
{
    [Test]
    public Task A_worker_runs_without_a_store() => GreetingScenario.RunWorkerAsync();

    [Test]
    public Task A_worker_survives_a_crash_everywhere() => GreetingScenario.CrashEverywhereAsync();

    [Test]
    public Task An_application_recovers_from_a_kill() => GreetingScenario.RunApplicationAsync();
}
