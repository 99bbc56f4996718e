using System.Reflection;

namespace ReplicaRouter.RepositoryTests;

/// <summary>The checkout that these tests were built from.</summary>
internal static class Repository
{
    private static readonly string s_root = typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(entry => entry.Key == "RepositoryRoot").Value!;

    public static string PathOf(string relative) => Path.Combine(s_root, relative);

    public static string NameOf(string path) => Path.GetRelativePath(s_root, path);

    /// <summary>Returns the files of a folder and its subfolders, without bin and obj.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(PathOf(folder), pattern, SearchOption.AllDirectories)
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj")).Order(StringComparer.Ordinal);
}
