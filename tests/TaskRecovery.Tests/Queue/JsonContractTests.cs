using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TaskRecovery.Kinds;
using TaskRecovery.Queue;

namespace TaskRecovery.Tests.Queue;

/// <summary>What is stored reads back as it was; a type of which that is not true is refused, with the member and the remedy.</summary>
public sealed class JsonContractTests
{
    public static TheoryData<object> GoodValues => new()
    {
        ValueTuple.Create(42, "invoice-42"),
        new WithFields { Name = "a", Size = 3 },
        new Computed(3, 4),
        new PrimaryConstructor("a"),
        new WithIgnored { Name = "a", Cache = "c" },
        new WithIncluded("a"),
        new Populated { Names = { "a" } },
        new Nested(new Inner("a"), [new Inner("b")], new Dictionary<string, Inner> { ["c"] = new("d") }),
        new Recursive("a", new Recursive("b", null)),
        new Drawing(new Square(2), [new Square(3)]),
        Tuple.Create(1, "a"),
        new { Sent = 3 },
        JsonDocument.Parse("""{"a":1}""").RootElement,
        new[] { DayOfWeek.Friday },
        DateTimeOffset.UnixEpoch,
        new Open("a"),
        new OpenToo("a"),
    };

    public static TheoryData<object, string, string> BadValues => new()
    {
        { new PrivateSetter("a"), "PrivateSetter.Name", "[JsonInclude]" },
        { new SetInConstructor(), "SetInConstructor.Name", "init" },
        { new Wrapped(1), "Wrapped.Amount", "[JsonIgnore]" },
        { new Holder { Value = "a" }, "Holder.Value", "JsonElement" },
        { new Dictionary<string, object> { ["a"] = 1 }, "Object", "JsonElement" },
        { new InterfaceHolder { Shape = new Circle("c", 1) }, "InterfaceHolder.Shape is an interface", "[JsonDerivedType]" },
        { new AbstractHolder { Stream = Stream.Null }, "AbstractHolder.Stream is an abstract type", "[JsonDerivedType]" },
        { new ShapeHolder { Shape = new Circle("c", 1) }, "Circle is to be stored as", "[JsonDerivedType]" },
        { new Shape[] { new("s"), new Circle("c", 1) }, "Circle is to be stored as", "[JsonDerivedType]" },
        { new HiddenConstructor[1], "HiddenConstructor, which has no constructor", "public constructor" },
    };

    [Theory]
    [MemberData(nameof(GoodValues))]
    public void Value_reads_back_as_it_was_written(object value)
    {
        var json = New();

        var written = json.Write(value, value.GetType());
        var read = JsonSerializer.Deserialize(written, json.Check(value.GetType()))!;

        Assert.Equal(Encoding.UTF8.GetString(written), Encoding.UTF8.GetString(json.Write(read, read.GetType())));
        Assert.NotEqual("{}", Encoding.UTF8.GetString(written));
    }

    [Theory]
    [MemberData(nameof(BadValues))]
    public void Value_that_would_be_lost_is_refused_with_the_member_and_the_remedy(object value, string member, string remedy)
    {
        var error = Assert.Throws<NotSupportedException>(() => New().Write(value, value.GetType()));

        Assert.Contains(member, error.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Derived_instance_in_a_variable_of_its_base_type_is_refused()
    {
        var json = New();

        json.Write(new Shape("s"));
        var error = Assert.Throws<NotSupportedException>(() => json.Write<Shape>(new Circle("c", 1)));

        Assert.Contains("its own members would not be stored", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_of_the_application_keep_their_fields_and_their_own_callbacks()
    {
        var called = 0;
        var resolver = new DefaultJsonTypeInfoResolver();
        resolver.Modifiers.Add(info =>
        {
            if (info.Type == typeof(Open))
            {
                info.OnSerializing = _ => called++;
            }
        });
        var json = New(new JsonSerializerOptions { TypeInfoResolver = resolver });

        var tuple = json.Read<(int, string)>(json.Write((42, "invoice-42")));
        json.Write(new Open("a"));

        Assert.Equal((42, "invoice-42"), tuple);
        Assert.Equal(1, called);
    }

    [Fact]
    public void Type_without_metadata_is_refused_with_what_to_add()
    {
        var json = New(new JsonSerializerOptions { TypeInfoResolver = JsonTypeInfoResolver.Combine() });

        var error = Assert.Throws<NotSupportedException>(() => json.Check(typeof(Open)));

        Assert.Contains("[JsonSerializable(typeof(Open))]", error.Message, StringComparison.Ordinal);
    }

    private static EntryJson New(JsonSerializerOptions? json = null)
        => new(Options.Create(new TaskRecoveryOptions { Json = json }), new PayloadCodecs(
            [], new ServiceCollection().BuildServiceProvider()));

    private sealed class WithFields
    {
        [JsonInclude]
        private int _count = 2;

        public string? Name;

        public int Size;

        public int Next() => _count++;
    }

    private sealed record Computed(int Width, int Height)
    {
        public int Area => Width * Height;
    }

    private sealed class PrimaryConstructor(string name)
    {
        public string Name => name;

        public int Length => name.Length;
    }

    private sealed class WithIgnored
    {
        public required string Name { get; init; }

        [JsonIgnore]
        public string? Cache { get; set; }

        public int Length => Name.Length;
    }

    private sealed class WithIncluded
    {
        public WithIncluded()
        {
        }

        public WithIncluded(string name) => Name = name;

        [JsonInclude]
        public string? Name { get; private set; }
    }

    [JsonObjectCreationHandling(JsonObjectCreationHandling.Populate)]
    private sealed class Populated
    {
        public IList<string> Names { get; } = [];
    }

    private sealed record Inner(string Name);

    private sealed record Nested(Inner One, IReadOnlyList<Inner> Many, IReadOnlyDictionary<string, Inner> Named);

    private sealed record Recursive(string Name, Recursive? Next);

    [JsonDerivedType(typeof(Square), "square")]
    private abstract record Figure;

    private sealed record Square(int Side) : Figure;

    private sealed record Drawing(Figure First, IReadOnlyList<Figure> Others);

    private record Open(string Name);

    private sealed record OpenToo(string Name) : Open(Name);

    private sealed class PrivateSetter
    {
        public PrivateSetter()
        {
        }

        public PrivateSetter(string name) => Name = name;

        public string? Name { get; private set; }
    }

    private sealed class SetInConstructor
    {
        public string Name { get; } = Guid.NewGuid().ToString();
    }

    private sealed class Wrapped
    {
        private readonly decimal _amount;

        public Wrapped()
        {
        }

        public Wrapped(decimal amount) => _amount = amount;

        public decimal Amount => _amount;
    }

    private sealed class Holder
    {
        public object? Value { get; set; }
    }

    private interface IShape
    {
        string Name { get; }
    }

    private record Shape(string Name) : IShape;

    private sealed record Circle(string Name, int Radius) : Shape(Name);

    private sealed class InterfaceHolder
    {
        public IShape? Shape { get; set; }
    }

    private sealed class AbstractHolder
    {
        public Stream? Stream { get; set; }
    }

    private sealed class ShapeHolder
    {
        public Shape? Shape { get; set; }
    }

    private sealed class HiddenConstructor
    {
        private HiddenConstructor()
        {
        }

        public string? Name { get; set; }

        public static HiddenConstructor Create() => new();
    }
}
