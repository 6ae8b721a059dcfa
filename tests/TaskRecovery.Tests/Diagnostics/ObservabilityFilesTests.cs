using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.RegularExpressions;
using TaskRecovery.Claims;
using TaskRecovery.Diagnostics;
using TaskRecovery.Operations;
using TaskRecovery.Storage;
using TaskRecovery.Tests.HouseStyle;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Diagnostics;

/// <summary>The Grafana dashboard and the alert rules in docs/observability query metrics that exist.</summary>
public sealed partial class ObservabilityFilesTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "docs", "observability");

    private static readonly HashSet<string> Labels =
        ["messaging_destination_name", "messaging_system", "taskrecovery_kind", "taskrecovery_outcome", "taskrecovery_action"];

    [Theory]
    [InlineData("grafana.json")]
    [InlineData("alerts.yml")]
    public void Every_metric_and_label_of_the_file_exists(string file)
    {
        var known = PrometheusNames().Concat(Labels).ToHashSet();
        var used = Name().Matches(File.ReadAllText(Path.Combine(Folder, file))).Select(match => match.Value).ToHashSet();

        Assert.NotEmpty(used);
        Nothing.In(used.Except(known).Select(name => $"{file} uses {name}, which the library does not write"));
    }

    [Fact]
    public void Every_value_that_a_query_selects_by_is_one_that_the_library_writes()
    {
        var written = Enum.GetValues<OutcomeKind>().Select(Metrics.Name).Concat(["recovered", "closed", "taskrecovery"]).ToHashSet();
        var text = string.Concat(Directory.EnumerateFiles(Folder).Select(File.ReadAllText)).Replace("\\\"", "\"", StringComparison.Ordinal);
        var selected = Selected().Matches(text).Select(match => match.Groups["value"].Value).ToHashSet();

        Assert.Contains("failed", selected);
        Nothing.In(selected.Except(written));
    }

    [Fact]
    public void Every_panel_of_the_dashboard_has_a_query_a_unit_and_an_explanation()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "grafana.json")));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().Where(
            panel => panel.GetProperty("type").GetString() != "row").ToList();

        Assert.NotEmpty(panels);
        Assert.All(panels, panel =>
        {
            Assert.NotEmpty(panel.GetProperty("description").GetString()!);
            Assert.NotEmpty(panel.GetProperty("fieldConfig").GetProperty("defaults").GetProperty("unit").GetString()!);
            Assert.All(panel.GetProperty("targets").EnumerateArray(), target => Assert.NotEmpty(target.GetProperty("expr").GetString()!));
        });
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
    }

    [Fact]
    public void Stored_and_ended_entries_are_compared_without_runs_that_continue_later_and_without_the_runs_of_jobs()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "grafana.json")));
        var panel = dashboard.RootElement.GetProperty("panels").EnumerateArray().Single(
            static panel => panel.GetProperty("title").GetString() == "Stored and ended");
        var ended = panel.GetProperty("targets").EnumerateArray().Last().GetProperty("expr").GetString()!;
        string[] final = ["completed", "failed", "cancelled", "superseded"];

        Assert.Contains($"taskrecovery_outcome=~\"{string.Join('|', final)}\"", ended, StringComparison.Ordinal);
        Assert.Contains("taskrecovery_kind!~\"task:.*\"", ended, StringComparison.Ordinal);
        Nothing.In(final.Except(Enum.GetValues<OutcomeKind>().Select(Metrics.Name)));
    }

    [Theory]
    [InlineData("alerts.yml", "- alert: ")]
    [InlineData("grafana.json", "\"type\": \"stat\"")]
    public void An_increase_over_a_long_time_includes_what_a_new_series_begins_with_but_not_after_a_gap(string file, string separator)
    {
        const string increase = "increase(taskrecovery_";
        const string either = "unless last_over_time(taskrecovery_";
        const string gap = "unless last_over_time(taskrecovery_nodes_alive[";
        var parts = File.ReadAllText(Path.Combine(Folder, file)).Split(separator).Skip(1)
            .Select(static part => part.Split("\"type\": \"timeseries\"")[0])
            .Where(static part => part.Contains(increase, StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(parts);
        Nothing.In(parts.Where(static part => Count(part, increase) != Count(part, gap)));
        Nothing.In(parts.Where(static part => Count(part, increase) != Count(part, either) - Count(part, gap)));

        static int Count(string text, string part) => text.Split(part).Length - 1;
    }

    /// <summary>What the OpenTelemetry exporters for Prometheus make of the instruments' names.</summary>
    private static IEnumerable<string> PrometheusNames()
    {
        var instruments = new List<Instrument>();
        using var recovery = new RecoveryUnderTest();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (ReferenceEquals(instrument.Meter, recovery.Metrics.Meter))
                {
                    instruments.Add(instrument);
                }
            },
        };
        listener.Start();
        using var depths = new QueueDepthSampler(
            new QueueDepths(recovery.Store, recovery.Time), recovery.Node.Node, [], recovery.Metrics, recovery.Loops);
        _ = new RunningWork(recovery.Metrics, recovery.Time);

        foreach (var instrument in instruments)
        {
            var name = instrument.Name.Replace('.', '_') + (instrument.Unit == "s" ? "_seconds" : "");
            string[] names = instrument switch
            {
                Counter<long> => [$"{name}_total"],
                Histogram<double> => [$"{name}_bucket", $"{name}_sum", $"{name}_count"],
                _ => [name],
            };
            foreach (var each in names)
            {
                yield return each;
            }
        }
    }

    [GeneratedRegex(@"\b(?:taskrecovery|messaging)_[a-z_]+")]
    private static partial Regex Name();

    [GeneratedRegex(@"(?:taskrecovery|messaging)_\w+=""(?<value>\w+)""")]
    private static partial Regex Selected();
}
