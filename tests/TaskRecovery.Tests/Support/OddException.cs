using System.Collections;

namespace TaskRecovery.Tests.Support;

/// <summary>Exceptions that do what an exception should not when a logger or a store looks at them.</summary>
internal abstract class OddException : Exception
{
    public static IReadOnlyDictionary<string, Func<Exception>> All { get; } =
        new Dictionary<string, Func<Exception>>(StringComparer.Ordinal)
        {
            ["text is null"] = static () => new OddExceptionWithoutText(),
            ["text throws"] = static () => new OddExceptionWithThrowingText(),
            ["message is null"] = static () => new OddExceptionWithoutMessage(),
            ["everything throws"] = static () => new OddExceptionThatThrows(),
            ["text is endless"] = static () => new OddExceptionWithLongText(),
        };

    private sealed class OddExceptionWithoutText : OddException
    {
        public override string ToString() => null!;
    }

    private sealed class OddExceptionWithThrowingText : OddException
    {
        public override string ToString() => throw new NotSupportedException();
    }

    private sealed class OddExceptionWithoutMessage : OddException
    {
        public override string Message => null!;
    }

    private sealed class OddExceptionWithLongText : OddException
    {
        public override string ToString() => nameof(OddException) + new string('\0', 40_000_000);
    }

    private sealed class OddExceptionThatThrows : OddException
    {
        public override string Message => throw new NotSupportedException();

        public override IDictionary Data => throw new NotSupportedException();

        public override string? StackTrace => throw new NotSupportedException();

        public override string? Source
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }
    }
}
