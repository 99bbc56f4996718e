namespace Jobs;

/// <summary>Who runs the jobs.</summary>
public enum JobSystem
{
    Channels,
    Hangfire,
    Quartz,
}
