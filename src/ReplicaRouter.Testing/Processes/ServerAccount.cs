using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace ReplicaRouter.Testing.Processes;

/// <summary>The account that the servers run as. PostgreSQL refuses root, so that root lends its place to an ordinary user.</summary>
internal sealed class ServerAccount
{
    private static readonly string[] s_candidates = ["postgres", "nobody"];
    private readonly bool _isOther;
    private readonly uint _userId;
    private readonly uint _groupId;

    private ServerAccount(string name, bool isOther, uint userId, uint groupId) =>
        (Name, _isOther, _userId, _groupId) = (name, isOther, userId, groupId);

    internal string Name { get; }

    internal static ServerAccount Resolve()
    {
        if (!OperatingSystem.IsLinux())
            throw new LocalClusterException("A local cluster needs Linux (on Windows: WSL; on a Mac: a container).");
        if (!Environment.IsPrivilegedProcess) return new(Environment.UserName, isOther: false, 0, 0);
        var accounts = File.ReadLines("/etc/passwd").Select(line => line.Split(':')).Where(fields => fields.Length >= 4).ToList();
        foreach (var name in s_candidates)
        {
            if (accounts.Find(fields => fields[0] == name) is not { } found) continue;
            return new(name, isOther: true, Number(found[2]), Number(found[3]));
        }
        throw new LocalClusterException("PostgreSQL refuses to run as root, and there is neither a user 'postgres' nor 'nobody' to run it as.");
        static uint Number(string text) => uint.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <summary>A program to be run by this account, in a session of its own and without libpq's variables.</summary>
    internal ProcessStartInfo Run(string program, IEnumerable<string> arguments, string folder)
    {
        // Members of a cluster are known by their working directory: it must be set from the first instruction on.
        var start = new ProcessStartInfo("setsid") { WorkingDirectory = folder };
        string[] lend = _isOther
            ? ["setpriv", $"--reuid={_userId}", $"--regid={_groupId}", "--clear-groups", "--"]
            : [];
        foreach (var argument in lend.Append(program).Concat(arguments)) start.ArgumentList.Add(argument);
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["LC_ALL"] = "C";
        return start;
    }

    /// <summary>Hands a file or folder that this process made to the account.</summary>
    internal void Own(string path)
    {
        if (_isOther && Native.ChangeOwner(path, _userId, _groupId) != 0)
            throw new LocalClusterException($"'{path}' could not be given to user '{Name}': {Marshal.GetLastPInvokeErrorMessage()}.");
    }
}
