namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>What <c>erase</c> says about ids of which some do not exist.</summary>
public sealed class EraseTests : IDisposable
{
    private readonly CliFixture _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task An_id_that_was_not_erased_is_named()
    {
        await _cli.MigratedAsync();
        var id = (await _cli.EnqueueAsync(1))[0];

        var asked = await _cli.RunAsync("erase", $"{id}", "98", "--dry-run");
        var json = await _cli.RunAsync("erase", $"{id}", "98", "--yes", "--json");
        var text = await _cli.RunAsync("erase", $"{id}", "98", "--yes");
        var none = await _cli.RunAsync("erase", "98", "99", "--dry-run");

        Assert.Equal((0, "entry 98 does not exist.\n"), (asked.ExitCode, asked.Error));
        Assert.Equal(
            $"would: Erase the data of 2 entries in file {_cli.File}, which can't be undone: 1 found", asked.Lines[0]);
        Assert.StartsWith($"{id} ", asked.Lines[^1], StringComparison.Ordinal);
        Assert.Equal((5, 1), (json.ExitCode, json.Json().GetProperty("entries").GetInt32()));
        Assert.Equal([98], json.Json().GetProperty("missing").EnumerateArray().Select(static one => one.GetInt64()));
        Assert.Equal(5, text.ExitCode);
        Assert.Equal(["erase 2 entries: 1 erased", "entry 98: not erased, because it does not exist"], text.Lines);
        none.AssertFailed(6, "erase 2 entries: nothing was changed, because it does not exist.");
    }
}
