using System.CommandLine;
using TaskRecovery.SampleHost;

var folder = new Option<DirectoryInfo?>("--folder")
{
    Description = "The folder whose Markdown files are read. Default: the nearest docs folder.",
};
var data = new Option<DirectoryInfo?>("--data")
{
    Description = "Where the database file, report and journal go. Default: a folder for temporary files.",
};
var postgres = new Option<bool>("--postgres")
{
    Description = $"Use PostgreSQL, with the connection string in {SampleOptions.PostgresVariable}. Default: an SQLite file.",
};
var every = new Option<int>("--every") { Description = "Seconds between runs.", DefaultValueFactory = _ => 30 };
var pace = new Option<int>("--pace")
{
    Description = "Milliseconds to linger over each file, so that one can watch.",
    DefaultValueFactory = _ => 150,
};
var once = new Option<bool>("--once") { Description = "Stop after the first task that completes." };
var job = new Option<string>("--job") { Description = "The name of the job.", DefaultValueFactory = _ => "read-docs" };
var crashDemo = new Option<bool>("--crash-demo")
{
    Description = "Start a host, kill it in the middle of a step, start it again, and check what happened.",
};

var root = new RootCommand("A host that anyone can kill: it reads Markdown files in steps, and continues where it was.")
{
    folder, data, postgres, every, pace, once, job, crashDemo,
};

root.SetAction(async (arguments, cancellationToken) =>
{
    var options = new SampleOptions
    {
        Folder = arguments.GetValue(folder)?.FullName ?? SampleFolders.FindDocs(),
        Data = SampleFolders.Create(arguments.GetValue(data)?.FullName ?? SampleFolders.DefaultData(arguments.GetValue(crashDemo))),
        Postgres = arguments.GetValue(postgres) ? SampleOptions.ReadPostgres() : null,
        Every = TimeSpan.FromSeconds(arguments.GetValue(every)),
        Pace = TimeSpan.FromMilliseconds(arguments.GetValue(pace)),
        Once = arguments.GetValue(once),
        Job = arguments.GetValue(job)!,
    };

    return arguments.GetValue(crashDemo)
        ? await CrashDemo.RunAsync(options, cancellationToken)
        : await Host.RunAsync(options, cancellationToken);
});

return await root.Parse(args).InvokeAsync();
