namespace ReplicaRouter.Dashboard.Feed;

/// <summary>A ring buffer: the last items up to a capacity, oldest first. Not thread-safe.</summary>
internal sealed class Ring<T>(int capacity)
{
    private readonly T[] _items = new T[capacity];
    private long _added;

    public int Count => (int)Math.Min(_added, _items.Length);

    public void Add(T item) => _items[_added++ % _items.Length] = item;

    public void Clear() => _added = 0;

    public T[] ToArray()
    {
        var items = new T[Count];
        for (var i = 0; i < items.Length; i++) items[i] = _items[(_added - items.Length + i) % _items.Length];
        return items;
    }
}
