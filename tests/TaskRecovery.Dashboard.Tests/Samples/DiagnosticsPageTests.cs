using TaskRecovery.TestSupport;

namespace TaskRecovery.Dashboard.Tests.Samples;

/// <summary>The examples of docs/diagnostics.md compile.</summary>
public sealed class DiagnosticsPageTests
{
    // The exporter for OTLP is in a package that nothing here needs.
    [Fact]
    public void Every_example_of_the_page_is_in_the_file_beside_this_one()
    {
        var code = PageExamples.CodeOf("tests/TaskRecovery.Dashboard.Tests/Samples", "DiagnosticsPage.cs");
        var example = Assert.Single(
            PageExamples.Of("diagnostics.md"), static example => !example.Contains("AddOtlpExporter", StringComparison.Ordinal));

        Assert.All(example.Split("\n\n"), part => Assert.Contains(PageExamples.Squeeze(part), code, StringComparison.Ordinal));
    }
}
