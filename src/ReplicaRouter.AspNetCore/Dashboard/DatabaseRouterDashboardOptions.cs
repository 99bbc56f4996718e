namespace ReplicaRouter;

/// <summary>What the dashboard lets its visitors do.</summary>
public sealed class DatabaseRouterDashboardOptions
{
    /// <summary>Name of the authorization policy for operators, who may drain and restore hosts and force reads to the primary.</summary>
    /// <value>Default <see langword="null"/>: nobody may, the page is read-only.</value>
    public string? OperatorPolicy { get; set; }
}
