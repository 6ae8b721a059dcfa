using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Which errors of one dead node end a round of sweeps, and what its report says.</summary>
public sealed class NodeSweepsTests
{
    private static readonly string[] Nodes = ["a", "b", "c", "d", "e"];

    [Fact]
    public async Task Nodes_whose_sweep_the_server_refuses_keep_no_later_one_from_being_swept()
    {
        var refused = new StoreUnavailableException("no", new PostgresException("no", "ERROR", "ERROR", "P0001"));

        var (report, swept) = await RunAsync(node => node == "e" ? null : refused);

        Assert.Equal(Nodes, swept);
        Assert.Equal("e", Assert.Single(report.Items).Node);
        Assert.Same(refused, report.Failure!.InnerException);
    }

    [Fact]
    public async Task Three_nodes_in_a_row_without_an_answer_end_the_round()
    {
        var silent = new StoreUnavailableException("no answer", new TimeoutException());

        var (report, swept) = await RunAsync(_ => silent);

        Assert.Equal(["a", "b", "c"], swept);
        Assert.IsType<StoreUnavailableException>(report.Failure);
    }

    [Fact]
    public async Task Three_nodes_without_an_answer_do_not_if_another_one_was_swept_between_them()
    {
        var silent = new StoreUnavailableException("no answer", new TimeoutException());

        var (report, swept) = await RunAsync(node => node == "c" ? null : silent);

        Assert.Equal(Nodes, swept);
        Assert.Equal("c", Assert.Single(report.Items).Node);
    }

    [Fact]
    public async Task An_error_of_the_configuration_ends_the_round_and_is_the_one_in_the_report()
    {
        var missing = new StoreConfigurationException("grant insert");

        var (report, swept) = await RunAsync(node => node == "b" ? missing : new FormatException("a row can't be read"));

        Assert.Equal(["a", "b"], swept);
        Assert.Same(missing, report.Failure);
    }

    [Fact]
    public async Task The_error_names_the_node()
    {
        var locked = new StoreUnavailableException("a row is locked") { IsLockTimeout = true };

        var (report, _) = await RunAsync(node => node == "b" ? locked : null);
        var (odd, _) = await RunAsync(node => node == "b" ? new FormatException("a row can't be read") : null);

        var failure = Assert.IsType<StoreUnavailableException>(report.Failure);
        Assert.True(failure.IsLockTimeout);
        Assert.Equal("The work of the dead node 'b' could not be taken back: a row is locked", failure.Message);
        Assert.Equal("The work of the dead node 'b' could not be taken back: a row can't be read", odd.Failure!.Message);
        Assert.Equal(["a", "c", "d", "e"], report.Items.Select(static item => item.Node));
    }

    private static async Task<(RecoveryReport Report, List<string> Swept)> RunAsync(Func<string, Exception?> fails)
    {
        var swept = new List<string>();
        var report = await NodeSweeps.RunAsync(
            Nodes,
            static node => node,
            (node, items) =>
            {
                swept.Add(node);
                if (fails(node) is { } error)
                {
                    return ValueTask.FromException(error);
                }

                items.Add(new RecoveryItem { Action = RecoveryAction.Recovered, EntryId = 1, Kind = "test", Node = node, Crashes = 1 });
                return ValueTask.CompletedTask;
            });
        return (report, swept);
    }
}
