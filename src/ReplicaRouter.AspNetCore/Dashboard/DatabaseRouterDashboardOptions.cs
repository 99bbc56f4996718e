namespace ReplicaRouter;

/// <summary>What users of the dashboard may do.</summary>
public sealed class DatabaseRouterDashboardOptions
{
    /// <summary>Name of the authorization policy for operators, who may drain, restore and accept hosts, force reads to the primary, and see error texts.</summary>
    /// <value>Default <see langword="null"/>: there are no operators, and the page is read-only.</value>
    public string? OperatorPolicy { get; set; }
}
