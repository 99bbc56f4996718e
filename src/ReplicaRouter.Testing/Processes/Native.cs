using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace ReplicaRouter.Testing.Processes;

/// <summary>System calls that .NET does not expose.</summary>
internal static partial class Native
{
    private const int CurrentFolder = -100;         // AT_FDCWD
    private const int FollowNoLink = 0x100;         // AT_SYMLINK_NOFOLLOW
    private const uint TypeModeAndOwner = 1 | 2 | 8;

    [LibraryImport("libc", EntryPoint = "kill")]
    internal static partial void Kill(int processId, Signal signal);

    /// <summary>Changes the owner of a file. For a link, changes the link itself, not its target.</summary>
    [LibraryImport("libc", EntryPoint = "lchown", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    internal static partial int ChangeOwner(string path, uint userId, uint groupId);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint EffectiveUser();

    /// <summary>Returns the facts about a path, without following a link.</summary>
    /// <returns>Null if the path does not exist.</returns>
    internal static FileFacts? Look(string path)
    {
        // struct statx has the same layout on every architecture: the owner at byte 20, the mode at 28.
        Span<byte> found = stackalloc byte[256];
        return Stat(CurrentFolder, path, FollowNoLink, TypeModeAndOwner, found) != 0 ? null
            : new(BinaryPrimitives.ReadUInt32LittleEndian(found[20..]), BinaryPrimitives.ReadUInt16LittleEndian(found[28..]));
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(int folder, string path, int flags, uint mask, Span<byte> found);
}

/// <summary>What the file system knows about a path.</summary>
/// <param name="Owner">The owner's user id.</param>
/// <param name="Mode">The file type and permissions.</param>
internal readonly record struct FileFacts(uint Owner, ushort Mode)
{
    private const int Type = 0xF000;
    private const int WritableByOthers = 0b000_010_010;

    internal bool IsFolder => (Mode & Type) == 0x4000;

    internal bool IsFile => (Mode & Type) == 0x8000;

    internal bool IsWritableByOthers => (Mode & WritableByOthers) != 0;
}

/// <summary>Linux's numbers of the signals that control the servers.</summary>
internal enum Signal
{
    Reload = 1,         // SIGHUP
    StopFast = 2,       // SIGINT, to the postmaster
    StopImmediate = 3,  // SIGQUIT, to the postmaster
    Kill = 9,
    Continue = 18,
    Suspend = 19,
}
