namespace ReplicaRouter.ConnectionStrings;

/// <summary>The file of certificate authorities that Npgsql takes where a connection string names none.</summary>
/// <remarks>Source: Npgsql's <c>PostgresEnvironment</c>.</remarks>
internal static class DefaultRootCertificate
{
    public const string Variable = "PGSSLROOTCERT";

    /// <summary>Whether there is one.</summary>
    public static bool Exists()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not null) return true;
        var (home, folder) = OperatingSystem.IsWindows() ? ("APPDATA", "postgresql") : ("HOME", ".postgresql");
        return Environment.GetEnvironmentVariable(home) is { } path && File.Exists(Path.Combine(path, folder, "root.crt"));
    }
}
