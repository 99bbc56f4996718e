namespace ReplicaRouter.Routes;

/// <summary>The priority of reads on the primary, lowest first: the lowest give way first.</summary>
internal enum ReadPriority
{
    Analytics,
    Background,
    Read,
}
