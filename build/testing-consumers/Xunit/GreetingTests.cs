public sealed class GreetingTests
{
    [Fact]
    public Task A_worker_runs_without_a_store() => GreetingScenario.RunWorkerAsync();

    [Fact]
    public Task A_worker_survives_a_crash_everywhere() => GreetingScenario.CrashEverywhereAsync();

    [Fact]
    public Task An_application_recovers_from_a_kill() => GreetingScenario.RunApplicationAsync();
}
