using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using ReplicaRouter.Tool.Clusters;

namespace ReplicaRouter.Tool.CommandLine;

/// <summary>The options that choose the cluster: a router's variables, <c>--url</c>, or a cluster that <c>cluster up</c> started.</summary>
internal sealed partial class TargetOptions
{
    private readonly Option<string[]> _urls = new("--url")
    {
        Description = "A server, such as postgresql://user:password@host:5432/database or NAME=postgresql://...; can be given more than once, the primary first. "
            + "Other users of the machine can see it; prefer the variables.",
        HelpName = "URL",
    };

    private readonly Option<string?> _name = new("--name")
    {
        Description = "Another router of the application, by the name that was passed to AddReplicaRouter; its variables begin with that name.",
        HelpName = "NAME",
    };

    private readonly Option<string?> _local = new("--local") { Description = "A cluster that 'cluster up' started.", HelpName = "NAME" };
    private readonly Option<string?> _directory = ClusterFolders.Option();

    public static TargetOptions AddTo(Command command)
    {
        var target = new TargetOptions();
        command.Options.Add(target._urls);
        command.Options.Add(target._name);
        command.Options.Add(target._local);
        command.Options.Add(target._directory);
        return target;
    }

    /// <exception cref="DatabaseRouterConfigurationException">A variable is missing or wrong.</exception>
    public async Task<Target> ReadAsync(ParseResult parsed, CancellationToken ct)
    {
        var urls = parsed.GetValue(_urls) ?? [];
        var router = parsed.GetValue(_name);
        var given = (urls.Length > 0 ? 1 : 0) + (router is null ? 0 : 1) + (parsed.GetValue(_local) is null ? 0 : 1);
        if (given > 1) throw new ToolException("--url, --name and --local each choose a cluster. Give only one of them.");
        if (parsed.GetValue(_local) is not { } name) return urls.Length > 0 ? OfUrls(urls) : OfEnvironment(router);
        var folders = new ClusterFolders(parsed.GetValue(_directory));
        await using var cluster = await folders.OpenAsync(name, ct);
        var target = Of(new ConfigurationBuilder().AddInMemoryCollection(cluster.EnvironmentVariables!).Build());
        return target with { Name = name, LocalFolder = folders.Of(name) };
    }

    private static Target OfEnvironment(string? router) => Of(new ConfigurationBuilder().AddDotEnv().AddEnvironmentVariables().Build(), router);

    private static Target Of(IConfiguration configuration, string? router = null)
    {
        var options = new DatabaseRouterOptions { Names = ConfigurationNames.Of(router) };
        OptionsLoader.Load(options, configuration);
        return Target.Of(options);
    }

    private static Target OfUrls(string[] urls)
    {
        var options = new DatabaseRouterOptions();
        foreach (var (index, given) in urls.Index())
        {
            var named = Named().Match(given);
            var name = named.Success ? named.Groups[1].Value : index == 0 ? HostNames.Primary : string.Create(CultureInfo.InvariantCulture, $"replica-{index + 2}");
            if (!options.Hosts.TryAdd(name, new DatabaseHostOptions { ConnectionString = given[named.Length..], Source = $"--url of '{name}'" }))
                throw new ToolException($"--url names the host '{name}' twice.");
        }

        return Target.Of(options);
    }

    [GeneratedRegex("^([A-Za-z][A-Za-z0-9-]*)=(?=postgres(?:ql)?://)")]
    private static partial Regex Named();
}
