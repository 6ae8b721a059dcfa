using System.Collections;

namespace TaskRecovery.Tests.Support;

/// <summary>A set that a test changes while the engine reads it.</summary>
internal sealed class SharedSet<T> : IReadOnlyCollection<T>
{
    private readonly Lock _gate = new();
    private readonly HashSet<T> _items = [];

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _items.Count;
            }
        }
    }

    public bool Add(T item)
    {
        lock (_gate)
        {
            return _items.Add(item);
        }
    }

    public bool Remove(T item)
    {
        lock (_gate)
        {
            return _items.Remove(item);
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _items.Clear();
        }
    }

    public bool Contains(T item)
    {
        lock (_gate)
        {
            return _items.Contains(item);
        }
    }

    /// <summary>Enumerates the items of this moment.</summary>
    public IEnumerator<T> GetEnumerator()
    {
        lock (_gate)
        {
            return _items.ToList().GetEnumerator();
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
