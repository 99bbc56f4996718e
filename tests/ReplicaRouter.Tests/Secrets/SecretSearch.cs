using System.Collections;
using System.Collections.Concurrent;
using System.Data.Common;
using System.Reflection;

namespace ReplicaRouter.Tests.Secrets;

/// <summary>Walks an object graph and searches the ToString results of ReplicaRouter's objects for the mark.</summary>
internal static class SecretSearch
{
    private static readonly Assembly s_ours = typeof(DatabaseRouter).Assembly;
    private static readonly ConcurrentDictionary<Type, FieldInfo[]> s_fields = new();

    /// <returns>The types whose ToString result or connection string contains the mark.</returns>
    public static IEnumerable<string> TypesThatShowIt(object root)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var left = new Stack<object>([root]);
        while (left.TryPop(out var next))
        {
            if (!seen.Add(next)) continue;
            if (next.GetType().Assembly == s_ours)
            {
                if (SecretMark.IsIn(next.ToString())) yield return next.GetType().FullName!;
                foreach (var field in FieldsOf(next.GetType())) Push(left, field.GetValue(next));
            }
            else if (next is IEnumerable items and not string and not DbConnectionStringBuilder)
            {
                foreach (var item in items) Push(left, item);
            }
            else if (next.GetType() is { IsGenericType: true } pair && pair.GetGenericTypeDefinition() == typeof(KeyValuePair<,>))
            {
                Push(left, pair.GetProperty("Value")!.GetValue(next));
            }
            else if (next is DbDataSource source && SecretMark.IsIn(source.ConnectionString))
            {
                yield return next.GetType().FullName!;
            }
        }
    }

    private static void Push(Stack<object> left, object? value)
    {
        if (value is not (null or string or Type or Delegate) && !value.GetType().IsPrimitive && !value.GetType().IsPointer) left.Push(value);
    }

    private static FieldInfo[] FieldsOf(Type type) => s_fields.GetOrAdd(type, static type =>
    {
        List<FieldInfo> fields = [];
        for (var at = type; at is not null && at.Assembly == s_ours; at = at.BaseType)
        {
            fields.AddRange(at.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly).Where(field => !field.FieldType.IsPointer && !field.FieldType.IsByRefLike));
        }

        return [.. fields];
    });
}
