namespace ReplicaRouter.Tool.CommandLine;

/// <summary>The tool's exit codes. A higher one is worse.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>It works, but something needs attention.</summary>
    public const int Warning = 1;

    /// <summary>Something is broken, or the command failed.</summary>
    public const int Failure = 2;

    /// <summary>Ended by Ctrl+C: 128 + SIGINT, as shells report it.</summary>
    public const int Stopped = 130;
}
