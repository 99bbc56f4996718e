namespace ReplicaRouter.Checks.Proxies;

/// <summary>A proxy program and how it is set up. The program comes from the distribution's package.</summary>
internal interface IProxyKind
{
    /// <summary>Its name for people.</summary>
    string Name { get; }

    /// <summary>The executable.</summary>
    string Program { get; }

    /// <summary>Its arguments; file names are relative to its folder, in which it is started.</summary>
    IReadOnlyList<string> Arguments { get; }

    /// <summary>The files of its folder, by name.</summary>
    IReadOnlyDictionary<string, string> Files(ProxyPlace place);
}

/// <summary>What is a proxy's own.</summary>
/// <param name="Folder">A folder that is removed with it.</param>
/// <param name="Port">Where it listens for clients.</param>
/// <param name="ControlPort">For a protocol of its own beside that.</param>
internal sealed record ProxyPlace(string Folder, int Port, int ControlPort);
