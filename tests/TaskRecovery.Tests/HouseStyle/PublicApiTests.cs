using System.Reflection;

namespace TaskRecovery.Tests.HouseStyle;

/// <summary>The public surface is a text that a reviewer reads. Changing it is a decision, not a side effect.</summary>
public sealed class PublicApiTests
{
    private const string UpdateVariable = "TASKRECOVERY_UPDATE_API";

    [Theory]
    [InlineData("TaskRecovery")]
    [InlineData("TaskRecovery.PostgreSql")]
    [InlineData("TaskRecovery.Sqlite")]
    [InlineData("TaskRecovery.Testing")]
    [InlineData("TaskRecovery.Dashboard")]
    [InlineData("TaskRecovery.OpenTelemetry")]
    [InlineData("TaskRecovery.EntityFrameworkCore")]
    public async Task The_public_surface_is_the_reviewed_one(string library)
    {
        var file = Path.Combine(Repository.Root, "tests", "TaskRecovery.Tests", "PublicApi", $"{library}.txt");
        var reviewed = File.Exists(file) ? await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken) : "";

        var actual = PublicApiText.Of(Assembly.Load(library));

        if (actual != reviewed)
        {
            var mayUpdate = Environment.GetEnvironmentVariable("CI") is null or "" or "false"
                && Environment.GetEnvironmentVariable(UpdateVariable) == "1";
            var received = Path.Combine(Repository.Root, "artifacts", "public-api", $"{library}.received.txt");
            Directory.CreateDirectory(Path.GetDirectoryName(received)!);
            await File.WriteAllTextAsync(mayUpdate ? file : received, actual, TestContext.Current.CancellationToken);
            Assert.Fail(mayUpdate
                ? $"{Repository.Relative(file)} was brought up to date: read the difference, then run the tests again."
                : $"The public surface of {library} differs from {Repository.Relative(file)}; "
                    + $"what it is now is in {Repository.Relative(received)}. "
                    + $"If the change is meant, run this test with {UpdateVariable}=1 and commit the "
                    + $"file.\n{Difference(reviewed, actual)}");
        }
    }

    private static string Difference(string reviewed, string actual)
    {
        var before = reviewed.Split('\n');
        var after = actual.Split('\n');
        return string.Join('\n', before.Except(after).Select(line => $"- {line}").Concat(after.Except(before).Select(line => $"+ {line}")));
    }
}
