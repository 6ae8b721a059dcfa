using System.CommandLine;
using TaskRecovery.WebSample;

var port = new Option<int>("--port") { Description = "The port on this machine.", DefaultValueFactory = _ => 5080 };
var postgres = new Option<bool>("--postgres")
{
    Description = $"Use PostgreSQL, with the connection string in {ShopOptions.PostgresVariable}. Default: an SQLite file, nothing "
        + "to install.",
};
var data = new Option<DirectoryInfo?>("--data")
{
    Description = "Where the SQLite file goes. Default: a folder of yours that others can't read.",
};
var quiet = new Option<bool>("--no-customers") { Description = "Nobody orders anything by itself." };
var child = new Option<bool>("--child") { Hidden = true };

var root = new RootCommand(
    "A small web shop with the dashboard. It can be killed by a button, and is started again.") { port, postgres, data, quiet, child };
root.SetAction(async (arguments, cancellationToken) =>
{
    var options = new ShopOptions
    {
        Port = arguments.GetValue(port),
        Postgres = arguments.GetValue(postgres) ? ShopOptions.ReadPostgres() : null,
        Data = SampleFolder.Create(arguments.GetValue(data)?.FullName ?? SampleFolder.Default()),
        HasCustomers = !arguments.GetValue(quiet),
    };

    return arguments.GetValue(child)
        ? await Shop.RunAsync(options, ParentPipe.Watch(cancellationToken))
        : await Supervisor.RunAsync(options, cancellationToken);
});

return await root.Parse(args).InvokeAsync();
