using System.Runtime.InteropServices;

namespace ReplicaRouter.Testing.Processes;

/// <summary>The system calls that .NET has no name for.</summary>
internal static partial class Native
{
    [LibraryImport("libc", EntryPoint = "kill")]
    internal static partial void Kill(int processId, Signal signal);

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    internal static partial int ChangeOwner(string path, uint userId, uint groupId);

    [LibraryImport("libc", EntryPoint = "shmctl")]
    internal static partial int ControlSharedMemory(int id, int command, nint buffer);

    internal const int RemoveSharedMemory = 0;
}

/// <summary>Linux's numbers of the signals that the servers are controlled with.</summary>
internal enum Signal
{
    Reload = 1,         // SIGHUP
    StopFast = 2,       // SIGINT, to the postmaster
    StopImmediate = 3,  // SIGQUIT, to the postmaster
    Kill = 9,
    Continue = 18,
    Suspend = 19,
}
