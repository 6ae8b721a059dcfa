using System.CommandLine;
using TaskRecovery.SampleHost;

var folder = new Option<DirectoryInfo?>("--folder")
{
    Description = "The folder whose Markdown files are read. Default: the nearest docs folder.",
};
var data = new Option<DirectoryInfo?>("--data")
{
    Description = "Where the database file, report and journal go. Default: a folder of yours; for the demo a new temporary one.",
};
var postgres = new Option<bool>("--postgres")
{
    Description = $"Use PostgreSQL, with the connection string in {SampleOptions.PostgresVariable}. Default: an SQLite file.",
};
var every = new Option<int>("--every") { Description = "Seconds between runs.", DefaultValueFactory = _ => 30 };
var pace = new Option<int?>("--pace")
{
    Description = "Milliseconds to linger over each file, so that one can watch. Default: 150; for the demo 30.",
};
var linkPace = new Option<int?>("--link-pace")
{
    Description = "Milliseconds to linger over each file in the step 'check-links'. Default: as in the other steps.",
};
var once = new Option<bool>("--once") { Description = "Stop after the first task that completes." };
var job = new Option<string>("--job") { Description = "The name of the job.", DefaultValueFactory = _ => "read-docs" };
var crashDemo = new Option<bool>("--crash-demo")
{
    Description = "Start a host, kill it in the middle of a step, start it again, and check what happened.",
};

var root = new RootCommand("A host that anyone can kill: it reads Markdown files in steps, and continues where it was.")
{
    folder, data, postgres, every, pace, linkPace, once, job, crashDemo,
};

root.SetAction(async (arguments, cancellationToken) =>
{
    var isDemo = arguments.GetValue(crashDemo);
    var options = new SampleOptions
    {
        Folder = arguments.GetValue(folder)?.FullName ?? SampleFolders.FindDocs(),
        Data = SampleFolders.Create(arguments.GetValue(data)?.FullName ?? SampleFolders.DefaultData(isDemo)),
        Postgres = arguments.GetValue(postgres) ? SampleOptions.ReadPostgres() : null,
        Every = TimeSpan.FromSeconds(arguments.GetValue(every)),
        Pace = TimeSpan.FromMilliseconds(arguments.GetValue(pace) ?? (isDemo ? 30 : 150)),
        LinkPace = arguments.GetValue(linkPace) is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null,
        Once = arguments.GetValue(once),
        Job = arguments.GetValue(job)!,
    };

    return isDemo
        ? await CrashDemo.RunAsync(options, cancellationToken)
        : await Host.RunAsync(options, cancellationToken);
});

return await root.Parse(args).InvokeAsync();
