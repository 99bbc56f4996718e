namespace ReplicaRouter.Checks.Proxies;

/// <summary>A proxy program and its configuration. The program comes from the distribution's package.</summary>
internal interface IProxyKind
{
    /// <summary>The display name.</summary>
    string Name { get; }

    /// <summary>The executable.</summary>
    string Program { get; }

    /// <summary>The arguments. File names are relative to the proxy's folder, which is its working directory.</summary>
    IReadOnlyList<string> Arguments { get; }

    /// <summary>Returns the files of the proxy's folder, by name.</summary>
    IReadOnlyDictionary<string, string> Files(ProxyPlace place);
}

/// <summary>The folder and ports of one proxy.</summary>
/// <param name="Folder">The proxy's folder, which is removed with it.</param>
/// <param name="Port">The port for clients.</param>
/// <param name="ControlPort">The port for the proxy's control protocol, if it has one.</param>
internal sealed record ProxyPlace(string Folder, int Port, int ControlPort);
