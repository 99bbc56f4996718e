namespace ReplicaRouter.Docs.Tests.House;

/// <summary>A failure that lists everything that was found; xunit's own shows the first five, cut short.</summary>
internal static class Nothing
{
    public static void In(IEnumerable<string> found)
    {
        var all = found.ToList();
        Assert.True(all.Count == 0, string.Join('\n', all));
    }
}
