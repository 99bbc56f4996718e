using System.Reflection;
using System.Runtime.InteropServices;
using ReplicaRouter.Testing.Cluster;

namespace ReplicaRouter.ClusterTests.Urls;

/// <summary>How libpq, psql's client library, reads a connection URL. Uses the library next to the tested servers, or else the system's.</summary>
internal static class Libpq
{
    private const string Library = "libpq.so.5";

    /// <summary>A <c>PQconninfoOption</c> has six pointers, the name first and the value fourth, and a padded number.</summary>
    private static readonly int s_sizeOfOption = 7 * nint.Size;

    static Libpq() => NativeLibrary.SetDllImportResolver(typeof(Libpq).Assembly, Resolve);

    /// <summary>The version as a number, such as 150018 for 15.18.</summary>
    public static int Version => PQlibVersion();

    /// <summary>Returns the parameters that libpq knows.</summary>
    public static string[] Names()
    {
        var options = PQconndefaults();
        return options == 0 ? throw new InvalidOperationException("PQconndefaults returned no parameters.") : [.. Read(options).Select(option => option.Name)];
    }

    /// <returns>The parameters that a URL states, with their values; null if libpq refuses it.</returns>
    public static Dictionary<string, string>? Parse(string url)
    {
        var text = Marshal.StringToCoTaskMemUTF8(url);
        var options = PQconninfoParse(text, out var error);
        Marshal.FreeCoTaskMem(text);
        if (error != 0) PQfreemem(error);
        return options == 0 ? null : Read(options).Where(option => option.Value is not null).ToDictionary(option => option.Name, option => option.Value!);
    }

    /// <summary>Whether libpq refuses a URL's values before it sends anything. The URL's hosts must be IP addresses.</summary>
    public static bool Refuses(string url)
    {
        const int Bad = 1;
        var text = Marshal.StringToCoTaskMemUTF8(url);
        var connection = PQconnectStart(text);
        var status = PQstatus(connection);
        PQfinish(connection);
        Marshal.FreeCoTaskMem(text);
        return status == Bad;
    }

    private static List<(string Name, string? Value)> Read(nint options)
    {
        List<(string, string?)> read = [];
        for (var option = options; Marshal.ReadIntPtr(option) != 0; option += s_sizeOfOption)
        {
            read.Add((Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(option))!, Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(option, 3 * nint.Size))));
        }

        PQconninfoFree(options);
        return read;
    }

    private static nint Resolve(string library, Assembly assembly, DllImportSearchPath? paths)
    {
        if (library != Library || Environment.GetEnvironmentVariable(PostgresBinaries.FolderVariable) is not { Length: > 0 } programs) return 0;
        var beside = Path.Combine(programs, "..", "lib", Library);
        return File.Exists(beside) ? NativeLibrary.Load(beside) : 0;
    }

    [DllImport(Library)]
    private static extern int PQlibVersion();

    [DllImport(Library)]
    private static extern nint PQconndefaults();

    [DllImport(Library)]
    private static extern nint PQconninfoParse(nint url, out nint error);

    [DllImport(Library)]
    private static extern void PQconninfoFree(nint options);

    [DllImport(Library)]
    private static extern void PQfreemem(nint memory);

    [DllImport(Library)]
    private static extern nint PQconnectStart(nint url);

    [DllImport(Library)]
    private static extern int PQstatus(nint connection);

    [DllImport(Library)]
    private static extern void PQfinish(nint connection);
}
