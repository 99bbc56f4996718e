namespace ReplicaRouter.Routes;

/// <summary>A further database of the cluster, beside the one of the connection strings.</summary>
internal abstract class Database(string name)
{
    public string Name => name;
}
