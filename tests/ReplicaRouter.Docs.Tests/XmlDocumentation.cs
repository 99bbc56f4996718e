using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ReplicaRouter.Docs.Tests;

/// <summary>The XML documentation of types and properties, as Markdown.</summary>
internal static partial class XmlDocumentation
{
    private static readonly Dictionary<string, XElement> s_members = new[] { typeof(DatabaseRouter), typeof(DatabaseRouterWebOptions) }
        .SelectMany(type => XDocument.Load(Path.ChangeExtension(type.Assembly.Location, ".xml")).Descendants("member"))
        .ToDictionary(member => (string)member.Attribute("name")!);

    public static string SummaryOf(MemberInfo member) => Element(member, "summary") ?? throw new InvalidOperationException($"{IdOf(member)} has no summary.");

    public static string? ValueOf(MemberInfo member) => Element(member, "value");

    private static string? Element(MemberInfo member, string name) =>
        s_members.GetValueOrDefault(IdOf(member))?.Element(name) is { } element ? WhiteSpace().Replace(string.Concat(element.Nodes().Select(Markdown)), " ").Trim() : null;

    private static string IdOf(MemberInfo member) => member is Type type ? $"T:{type.FullName}" : $"P:{member.DeclaringType!.FullName}.{member.Name}";

    private static string Markdown(XNode node) => node switch
    {
        XText text => text.Value.Replace("<", "\\<", StringComparison.Ordinal),
        XElement { Name.LocalName: "see" } see => $"`{(string?)see.Attribute("langword") ?? ShortName((string)see.Attribute("cref")!)}`",
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        XElement element => string.Concat(element.Nodes().Select(Markdown)),
        _ => "",
    };

    /// <summary>Shortens <c>P:ReplicaRouter.DatabaseRouteOptions.Wait</c> to <c>DatabaseRouteOptions.Wait</c>, and a type to its name.</summary>
    private static string ShortName(string id)
    {
        var name = id[2..].Split('(')[0].Split("``")[0];
        var parts = name.Split('.');
        return id[0] == 'T' ? parts[^1] : string.Join('.', parts[^2..]);
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace();
}
