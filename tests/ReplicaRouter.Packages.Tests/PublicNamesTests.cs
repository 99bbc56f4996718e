using System.Text.RegularExpressions;
using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.Packages.Tests;

/// <summary>Every public type has a simple name that is unambiguous in every kind of application: it does not conflict with types of the frameworks' implicit usings.</summary>
public sealed partial class PublicNamesTests(LocalFeed feed)
{
    private static readonly string[] s_libraries = ["ReplicaRouter", "ReplicaRouter.EntityFrameworkCore", "ReplicaRouter.Testing"];
    private static readonly string[] s_others = ["Npgsql", "Dapper", "Microsoft.EntityFrameworkCore"];

    // Slow: the SDK creates, restores and builds an application.
    [Theory]
    [InlineData("console", false)]
    [InlineData("worker", false)]
    [InlineData("web", true)]
    [InlineData("webapi", true)]
    [InlineData("mvc", true)]
    [InlineData("blazor", true)]
    public async Task Public_type_names_compile_without_warnings_in_a_new_application(string template, bool isWeb)
    {
        var parent = feed.NewFolder($"names-{template}");
        await Cli.RunAsync(parent, feed.Variables, "dotnet", "new", template, "--output", "Application", "--no-restore");
        var folder = Path.Combine(parent, "Application");
        string[] packages = [.. s_libraries, .. isWeb ? ["ReplicaRouter.AspNetCore"] : Array.Empty<string>()];
        AddPackages(Path.Combine(folder, "Application.csproj"), packages);

        var types = packages.SelectMany(PublicTypesOf).ToList();
        Assert.True(types.Count > 40, $"{types.Count} types");
        await File.WriteAllTextAsync(Path.Combine(folder, "PublicNames.cs"),
            $$"""
            {{string.Join('\n', s_others.Concat(types.Select(type => type.Namespace)).Distinct().Select(name => $"using {name};"))}}

            namespace Application;

            internal static class PublicNames
            {
                public static readonly Type[] All = [{{string.Join(", ", types.Select(type => $"typeof({type.Name})"))}}];
            }
            """, TestContext.Current.CancellationToken);
        await Cli.RunAsync(folder, feed.Variables, "dotnet", "build", "-warnaserror", "-warnnotaserror:NU1603");
    }

    private void AddPackages(string project, IEnumerable<string> packages)
    {
        var references = packages.Select(package => $"<PackageReference Include=\"{package}\" Version=\"{feed.Version}\" />").Append($"<PackageReference Include=\"Dapper\" Version=\"{VersionOf("Dapper")}\" />");
        File.WriteAllText(project, File.ReadAllText(project).Replace("</Project>", $"<ItemGroup>{string.Concat(references)}</ItemGroup></Project>", StringComparison.Ordinal));
    }

    private static string VersionOf(string package) =>
        Regex.Match(File.ReadAllText(Repository.PathOf("Directory.Packages.props")), $"Include=\"{package}\" Version=\"([^\"]+)\"").Groups[1].Value;

    /// <summary>Returns the public types of a package from its PublicAPI file.</summary>
    private static IEnumerable<(string Namespace, string Name)> PublicTypesOf(string package) =>
        from line in File.ReadLines(Repository.PathOf($"src/{package}/PublicAPI.Unshipped.txt"))
        let type = TypeLine().Match(line)
        where type.Success
        select (type.Groups["namespace"].Value, type.Groups["name"].Value + (type.Groups["arguments"].Success ? "<>" : ""));

    [GeneratedRegex(@"^(?<namespace>(?:\w+\.)*\w+)\.(?<name>\w+)(?<arguments><\w+>)?$")]
    private static partial Regex TypeLine();
}
