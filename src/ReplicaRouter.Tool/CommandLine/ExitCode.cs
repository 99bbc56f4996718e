namespace ReplicaRouter.Tool.CommandLine;

/// <summary>What the tool ends with: the worse, the higher.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>It runs, and something is to be looked at.</summary>
    public const int Warning = 1;

    /// <summary>Something is broken, or the command could not do what it was asked for.</summary>
    public const int Failure = 2;

    /// <summary>Ended by Ctrl+C, as shells number it.</summary>
    public const int Stopped = 130;
}
