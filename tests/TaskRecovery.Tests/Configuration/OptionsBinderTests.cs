using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace TaskRecovery.Tests.Configuration;

/// <summary>The configuration has the options under their own names.</summary>
public sealed class OptionsBinderTests
{
    public static TheoryData<string, string> Names
    {
        get
        {
            var data = new TheoryData<string, string>();
            var options = new TaskRecoveryOptions();
            foreach (var (section, part) in (ReadOnlySpan<(string, object)>)
            [
                ("", options), ("Node:", options.Node), ("Recovery:", options.Recovery), ("Retention:", options.Retention),
                ("Queues:mail:", new QueueOptions()),
            ])
            {
                foreach (var property in part.GetType().GetProperties().Where(static one => IsText(one.PropertyType)))
                {
                    data.Add(section + property.Name, Convert.ToString(Value(property, part), CultureInfo.InvariantCulture)!);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_option_is_bound_under_its_name(string name, string value)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(name, value)]).Build();
        var services = new ServiceCollection();
        services.AddTaskRecovery(configuration);
        using var provider = services.BuildServiceProvider();

        object? bound = provider.GetRequiredService<IOptions<TaskRecoveryOptions>>().Value;
        foreach (var part in name.Replace("Queues:mail:", "", StringComparison.Ordinal).Split(':'))
        {
            bound = name.StartsWith("Queues:", StringComparison.Ordinal) && bound is TaskRecoveryOptions { Queues: var queues }
                ? queues["mail"]
                : bound;
            bound = bound!.GetType().GetProperty(part)!.GetValue(bound);
        }

        Assert.Equal(value, Convert.ToString(bound, CultureInfo.InvariantCulture));
    }

    private static object Value(PropertyInfo property, object owner) => property.GetValue(owner) switch
    {
        TimeSpan time => time + TimeSpan.FromMilliseconds(100),
        int number => number - 1,
        bool flag => !flag,
        StartupMode => StartupMode.FailFast,
        OrphanedJobPolicy policy => Enum.GetValues<OrphanedJobPolicy>().First(other => other != policy),
        null when property.PropertyType == typeof(TimeSpan?) => TimeSpan.FromDays(1),
        null when property.PropertyType == typeof(int?) => 7,
        null => "name",
        var other => other,
    };

    private static bool IsText(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type.IsEnum || type == typeof(string) || type == typeof(int) || type == typeof(bool) || type == typeof(TimeSpan);
    }
}
