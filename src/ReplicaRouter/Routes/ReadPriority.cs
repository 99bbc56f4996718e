namespace ReplicaRouter.Routes;

/// <summary>In what order reads give way on the primary: the first ones first.</summary>
internal enum ReadPriority
{
    Analytics,
    Background,
    Read,
}
