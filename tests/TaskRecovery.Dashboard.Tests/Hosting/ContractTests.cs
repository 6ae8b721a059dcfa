using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using TaskRecovery.Dashboard.Tests.Support;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Dashboard.Tests.Hosting;

/// <summary>The contract of the API describes each answer as it is written. With TASKRECOVERY_UPDATE_CONTRACT=1 in the environment, the
/// first test writes the schemas to the file.</summary>
public sealed class ContractTests(OpenShop open) : IClassFixture<OpenShop>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_schemas_are_those_of_the_types_that_are_written()
    {
        var contract = await ApiContract.ReadAsync(Cancellation);
        var expected = ApiContract.Complete(contract);
        if (Environment.GetEnvironmentVariable("TASKRECOVERY_UPDATE_CONTRACT") == "1"
            && Environment.GetEnvironmentVariable("CI") is null)
        {
            await File.WriteAllTextAsync(ApiContract.FilePath, ApiContract.Text(expected), Cancellation);
            return;
        }

        var differences = ApiContract.Differences(expected, contract).ToList();
        Assert.True(
            differences.Count == 0,
            $"'{ApiContract.FilePath}' does not describe what is written. If the types are right, run this test with "
            + $"TASKRECOVERY_UPDATE_CONTRACT=1.\n{string.Join('\n', differences)}");
    }

    [Theory]
    [InlineData("snapshot")]
    [InlineData("kinds")]
    [InlineData("nodes")]
    [InlineData("jobs")]
    [InlineData("tasks")]
    [InlineData("events")]
    [InlineData("entries")]
    [InlineData("entries?state=failed")]
    [InlineData("groups?by=queue")]
    [InlineData("entries/4127")]
    [InlineData("entries/4190")]
    [InlineData("entries/4104")]
    [InlineData("entries/4188")]
    [InlineData("entries/4150")]
    [InlineData("entries/1")]
    [InlineData("operations")]
    [InlineData("operations/4")]
    [InlineData("operations/5")]
    [InlineData("operations/7")]
    [InlineData("tasks?state=fast")]
    [InlineData("throughput")]
    [InlineData("throughput?from=2026-11-28T00:00Z&to=2026-11-29T00:00Z&bucket=60&by=queue")]
    [InlineData("throughput?bucket=0")]
    [InlineData("jobs/01932f5e-9c1b-7cc3-8f5a-2f6d3a3f0b11")]
    [InlineData("jobs/01932f5e-9c1b-7cc3-8f5a-000000000000")]
    [InlineData("operations/5/entries")]
    [InlineData("operations/99/entries")]
    [InlineData("entries/4127/log")]
    [InlineData("entries/4127/steps/2")]
    [InlineData("entries/4127/steps/9")]
    [InlineData("entries/4127/checkpoint")]
    [InlineData("entries/4104/checkpoint")]
    [InlineData("search?q=mail")]
    [InlineData("search?q=4127")]
    [InlineData("search")]
    public async Task A_question_is_answered_with_what_its_schema_says_and_nothing_else(string path)
    {
        using var response = await open.App.Client.SendAsync(Requests.Get($"jobs/api/{path}", roles: "data"), Cancellation);

        Assert.Empty(await ProblemsAsync("get", path, response));
    }

    [Theory]
    [InlineData("snapshot")]
    [InlineData("operations")]
    [InlineData("entries/4104")]
    public async Task An_answer_to_a_user_with_a_scope_and_without_the_right_to_see_data_is_as_its_schema_says(string path)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup
        {
            HasApi = true,
            Configure = static options => options.Scope = static _ => new EntryScope { Queues = ["mail", "default"] },
        });

        using var response = await app.Client.SendAsync(Requests.Get($"jobs/api/{path}"), Cancellation);

        Assert.Empty(await ProblemsAsync("get", path, response));
    }

    [Theory]
    [InlineData("queues/pause", """{"name":"mail","minutes":15}""", "ops")]
    [InlineData("operations/prepare", """{"do":"retry","id":[4104]}""", "ops")]
    [InlineData("entries/4104/retry", "{}", "ops")]
    [InlineData("entries/4104/retry", "{}", "")]
    [InlineData("entries/4104/retry", "[", "ops")]
    public async Task An_action_is_answered_with_what_its_schema_says_and_nothing_else(string path, string body, string roles)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });
        using var request = Requests.Post($"jobs/api/{path}", roles: roles);
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");

        using var response = await app.Client.SendAsync(request, Cancellation);

        Assert.Empty(await ProblemsAsync("post", path, response));
    }

    private static async Task<IEnumerable<string>> ProblemsAsync(string method, string path, HttpResponseMessage response)
    {
        var contract = await ApiContract.ReadAsync(Cancellation);
        foreach (var (_, type) in (JsonObject)contract["components"]!["schemas"]!)
        {
            type!["additionalProperties"] = false;
        }

        var route = string.Join(
            '/', path.Split('?')[0].Split('/').Select(
                static (part, index) => !char.IsAsciiDigit(part[0]) ? part : index == 1 ? "{id}" : "{n}"));
        var status = response.StatusCode == HttpStatusCode.OK ? "200" : "default";
        var content = contract["paths"]![$"/{route}"]![method]!["responses"]![status]!["content"]!;
        var schema = content[response.Content.Headers.ContentType!.MediaType!]!["schema"]!;
        using var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
        return [.. SchemaCheck.Of(contract, schema, answer.RootElement)];
    }
}
