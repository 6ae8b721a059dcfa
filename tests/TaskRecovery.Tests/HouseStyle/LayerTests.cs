using System.Reflection;
using System.Xml.Linq;

namespace TaskRecovery.Tests.HouseStyle;

/// <summary>What may use what: folders of the library, and projects. Each uses only what stands before it, so that there are no
/// cycles.</summary>
public sealed class LayerTests
{
    /// <summary>The folders of <c>src/TaskRecovery</c>. Each may use those before it, and the contract at the root.</summary>
    private static readonly string[] Folders =
    [
        "Rules", "Schedules", "Storage", "Diagnostics", "Hosting", "Nodes", "Configuration", "Kinds", "Queue", "Recovery", "Workers",
        "Claims", "Jobs", "Startup", "Monitoring", "Operations", "Instances",
    ];

    private static readonly Dictionary<string, string[]> Projects = new(StringComparer.Ordinal)
    {
        ["TaskRecovery"] = [],
        ["TaskRecovery.PostgreSql"] = ["TaskRecovery"],
        ["TaskRecovery.Sqlite"] = ["TaskRecovery"],
        ["TaskRecovery.Dashboard"] = ["TaskRecovery"],
        ["TaskRecovery.EntityFrameworkCore"] = ["TaskRecovery"],
        ["TaskRecovery.OpenTelemetry"] = ["TaskRecovery"],
        ["TaskRecovery.Testing"] = ["TaskRecovery", "TaskRecovery.Sqlite"],
        ["TaskRecovery.Cli"] = ["TaskRecovery", "TaskRecovery.Dashboard", "TaskRecovery.PostgreSql", "TaskRecovery.Sqlite"],
    };

    /// <summary>Projects that these tests do not load. Their references are checked, their code is not.</summary>
    private static readonly string[] NotLoaded = ["TaskRecovery.EntityFrameworkCore", "TaskRecovery.OpenTelemetry"];

    [Fact]
    public void A_folder_uses_only_folders_before_it()
    {
        var wrong =
            from type in Assembly.Load("TaskRecovery").GetTypes()
            from used in TypeUses.Of(type)
            where Place(used) > Place(type) && Place(type) >= 0
            select $"{Name(type)} uses {Name(used)}";

        Nothing.In(wrong.Distinct());
    }

    [Fact]
    public void Every_folder_has_its_place()
    {
        var folders = Assembly.Load("TaskRecovery").GetTypes().Select(FolderOf).OfType<string>().Distinct();

        Assert.Equal(Folders.Order(StringComparer.Ordinal), folders.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_page_about_development_lists_the_folders_in_this_order_and_the_projects()
    {
        Assert.Equal(Folders, FirstColumn("| folder | what it contains |"));
        Assert.Equal(
            Projects.Keys.Order(StringComparer.Ordinal), FirstColumn("| project | may use |").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_project_references_only_its_layers()
    {
        var references =
            from file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories)
            select (
                Project: Path.GetFileNameWithoutExtension(file),
                Uses: XDocument.Load(file).Descendants("ProjectReference").Select(
                    static reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'))));

        Assert.Equal(
            Projects.OrderBy(static one => one.Key, StringComparer.Ordinal).Select(static one => $"{one.Key}: {Text(one.Value)}"),
            references.OrderBy(static one => one.Project, StringComparer.Ordinal).Select(static one => $"{one.Project}: {Text(one.Uses)}"));
    }

    [Fact]
    public void Only_a_store_knows_a_database_driver()
    {
        var wrong =
            from library in Projects.Keys.Except(["TaskRecovery.PostgreSql", "TaskRecovery.Sqlite", "TaskRecovery.Cli", .. NotLoaded])
            from reference in Assembly.Load(library).GetReferencedAssemblies()
            where reference.Name is "Npgsql" or "Microsoft.Data.Sqlite"
                || reference.Name!.StartsWith("SQLitePCLRaw", StringComparison.Ordinal)
            select $"{library} uses {reference.Name}";

        Nothing.In(wrong);
    }

    [Theory]
    [InlineData(typeof(Version))] // A base type's argument
    [InlineData(typeof(Uri))] // A field's element
    [InlineData(typeof(Guid))] // A variable
    [InlineData(typeof(Math))] // A call
    [InlineData(typeof(TimeSpan))] // A generic call's argument
    public void Uses_in_code_are_found(Type used) => Assert.Contains(used, TypeUses.Of(typeof(Sample)));

    private static int Place(Type type) => FolderOf(type) is { } folder ? Array.IndexOf(Folders, folder) : -1;

    private static string? FolderOf(Type type)
        => type.Namespace is { } name && type.Assembly.GetName().Name == "TaskRecovery"
            && name.StartsWith("TaskRecovery.", StringComparison.Ordinal)
            ? name.Split('.')[1]
            : null;

    private static string Name(Type type)
    {
        while (type.DeclaringType is { } outer)
        {
            type = outer;
        }

        return $"{FolderOf(type)}/{type.Name}";
    }

    // The names in the first column of a table.
    private static IEnumerable<string> FirstColumn(string heading)
        => File.ReadLines(Path.Combine(Repository.Root, "docs", "development.md"))
            .SkipWhile(line => line != heading)
            .Skip(2)
            .TakeWhile(static line => line.StartsWith('|'))
            .SelectMany(static line => line.Split('|')[1].Split('`').Where(static (_, place) => place % 2 == 1));

    private static string Text(IEnumerable<string> names) => string.Join(", ", names.Order(StringComparer.Ordinal));

    private sealed class Sample : List<Version>
    {
        private readonly Uri[] _addresses = [];

        public int Run(object value)
        {
            var id = (Guid)value;
            _ = Array.Empty<TimeSpan>();
            return Math.Max(id.GetHashCode(), _addresses.Length);
        }
    }
}
