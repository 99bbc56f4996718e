using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace ReplicaRouter.Testing.Processes;

/// <summary>The account that the servers run as. PostgreSQL refuses to run as root, so root runs it as an ordinary user.</summary>
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
        throw new LocalClusterException("PostgreSQL refuses to run as root, and there is no user 'postgres' or 'nobody' to run it as.");
        static uint Number(string text) => uint.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <summary>Returns the start of a program as this account, in its own session and without libpq's environment variables.</summary>
    internal ProcessStartInfo Run(string program, IEnumerable<string> arguments, string folder)
    {
        // A cluster's processes are found by their working directory, so it must be set from the first instruction.
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

    /// <summary>The user and group ids to switch to; empty if the servers run as this process's user.</summary>
    internal (string User, string Group) Ids => _isOther ? (Text(_userId), Text(_groupId)) : ("", "");

    /// <summary>Makes the account the owner of a file or folder that this process created.</summary>
    internal void Own(string path) => ChangeOwner(path, _userId);

    /// <summary>Lets the account enter a folder that this process keeps owning, so that the account cannot replace anything in it.</summary>
    internal void LetIn(string folder)
    {
        if (!_isOther) return;
        ChangeOwner(folder, Native.EffectiveUser());
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute);
    }

    /// <exception cref="LocalClusterException">Another user can change the folder's contents, and could trick this process into changing this user's other files.</exception>
    internal static void CheckOwn(string folder)
    {
        if (Native.Look(folder) is not { } found) return;
        if (found is not { IsFolder: true, IsWritableByOthers: false } || found.Owner != Native.EffectiveUser())
            throw new LocalClusterException($"'{folder}' is not a folder that only user '{Environment.UserName}' can change: others could have put anything there. Stop what runs there and remove it, or choose another folder.");
    }

    private void ChangeOwner(string path, uint userId)
    {
        if (_isOther && Native.ChangeOwner(path, userId, _groupId) != 0)
            throw new LocalClusterException($"The owner of '{path}' could not be changed to user '{Name}': {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    private static string Text(uint id) => id.ToString(CultureInfo.InvariantCulture);
}
