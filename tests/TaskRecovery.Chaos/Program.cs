using System.CommandLine;
using TaskRecovery.Chaos;

var store = new Option<string>("--store") { Description = "postgres or sqlite.", DefaultValueFactory = _ => "postgres" };
store.AcceptOnlyFromAmong("postgres", "sqlite");
var kills =
    new Option<int>("--kills") { Description = "Harm goes on until so many processes were killed.", DefaultValueFactory = _ => 1000 };
var minutes = new Option<double>("--minutes") { Description = "Harm goes on no longer than this.", DefaultValueFactory = _ => 60 };
var seed = new Option<int>("--seed") { Description = "What every choice follows from.", DefaultValueFactory = _ => Random.Shared.Next() };
var json = new Option<string?>("--json") { Description = "A file for the figures." };
var scenario = new Option<ChaosScenario>("--scenario")
{
    Description = "all: every kind of work and harm; network: "
    + "nodes are cut off and stopped, and nothing else; restarts: the server is restarted every 5 to 40 s under 10,000 entries with steps; "
    + "failover: primaries are killed and standbys promoted (PostgreSQL).",
    DefaultValueFactory = _ => ChaosScenario.All,
};
var workers = new Option<int>("--workers")
{
    Description = "How many worker processes are kept alive, beside two that are never killed.",
    DefaultValueFactory = _ => 6,
};
var rate = new Option<int>("--rate")
{
    Description = "Entries enqueued a second from outside the workers, each of which enqueues one a second itself.",
    DefaultValueFactory = _ => 15,
};
var each = new Option<int>("--each")
{
    Description = "How often every kind of harm and every named point must occur; harm goes on until it has.",
    DefaultValueFactory = _ => 0,
};
var without =
    new Option<string?>("--without") { Description = "A rule to leave out, to see that the checker finds it: fence or lost-answers." };

var root = new RootCommand(
    "Does harm to worker processes, their network and their store, and checks that nothing was lost and nothing settled twice.")
    {
        store, scenario, kills, minutes, seed, json, workers, rate, each, without,
    };
root.Validators.Add(result =>
{
    if (result.GetValue(scenario) == ChaosScenario.Failover && result.GetValue(store) == "sqlite")
    {
        result.AddError("--scenario failover needs --store postgres: SQLite has no standby.");
    }
});
root.SetAction((arguments, cancellationToken) => ChaosRun.RunAsync(
    new ChaosOptions
    {
        Store = arguments.GetValue(store)!,
        Scenario = arguments.GetValue(scenario),
        Kills = arguments.GetValue(kills),
        Limit = TimeSpan.FromMinutes(arguments.GetValue(minutes)),
        Seed = arguments.GetValue(seed),
        Json = arguments.GetValue(json),
        Workers = arguments.GetValue(workers),
        Rate = arguments.GetValue(rate),
        MinimumEach = arguments.GetValue(each),
        Without = arguments.GetValue(without),
    },
    cancellationToken));
return await root.Parse(args).InvokeAsync();
