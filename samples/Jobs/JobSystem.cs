namespace Jobs;

/// <summary>The library that runs the jobs.</summary>
public enum JobSystem
{
    Channels,
    Hangfire,
    Quartz,
}
