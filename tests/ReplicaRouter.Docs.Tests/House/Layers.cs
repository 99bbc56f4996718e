using System.Text.RegularExpressions;
using System.Xml.Linq;
using Mono.Cecil;
using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.Docs.Tests.House;

/// <summary>The layers of the core, and what its compiled types refer to.</summary>
internal sealed partial class Layers
{
    private const string Core = "src/ReplicaRouter";

    /// <summary>The router itself, above all layers.</summary>
    private const string Root = "";

    private readonly Dictionary<string, int> _ranks;

    /// <summary>Folders of public types, which all have the namespace <c>ReplicaRouter</c>.</summary>
    private readonly Dictionary<string, string> _publicTypes = Sources()
        .SelectMany(path => PublicType().Matches(File.ReadAllText(path)), (path, type) => (Name: type.Groups[1].Value, Folder: FolderOf(path)))
        .ToDictionary(type => type.Name, type => type.Folder);

    public Layers(IEnumerable<string> order) => _ranks = order.Append(Root).Index().ToDictionary(layer => layer.Item, layer => layer.Index);

    /// <summary>The folders, lowest first, as the build lists them.</summary>
    public static IReadOnlyList<string> Order { get; } =
        [.. XDocument.Load(Repository.PathOf($"{Core}/Namespaces.props")).Descendants("Using").Select(layer => layer.Attribute("Include")!.Value["ReplicaRouter.".Length..])];

    /// <summary>The source files of the core.</summary>
    public static IEnumerable<string> Sources() => Repository.Files(Core, "*.cs");

    public static string FolderOf(string path) => Path.GetRelativePath(Repository.PathOf(Core), Path.GetDirectoryName(path)!) is var folder && folder == "." ? Root : folder;

    /// <summary>The references to a layer above the one that refers.</summary>
    public IReadOnlyList<string> Upward(string assembly)
    {
        using var module = ModuleDefinition.ReadModule(assembly);
        return [.. module.Types.Where(IsOurs).SelectMany(type => ReferencesOf(type).Where(other => Rank(other) > Rank(type)).Select(other => $"{Describe(type)} -> {Describe(other)}")).Distinct()];
    }

    private int Rank(TypeDefinition type) => _ranks[FolderOf(type)];

    private string FolderOf(TypeDefinition type) =>
        type.Namespace != "ReplicaRouter" ? type.Namespace["ReplicaRouter.".Length..] : _publicTypes.GetValueOrDefault(type.Name.Split('`')[0], Root);

    private string Describe(TypeDefinition type) => $"{FolderOf(type)}/{type.Name}";

    private static bool IsOurs(TypeDefinition type) => type.Namespace.Split('.')[0] == "ReplicaRouter";

    /// <summary>The types of this assembly, not nested in others, to which one refers, in its nested types as well.</summary>
    private static IEnumerable<TypeDefinition> ReferencesOf(TypeDefinition type) => AllOf(type).SelectMany(MentionsIn).SelectMany(Parts).OfType<TypeDefinition>().Select(Outermost).Where(IsOurs).Distinct();

    private static IEnumerable<TypeDefinition> AllOf(TypeDefinition type) => type.NestedTypes.SelectMany(AllOf).Prepend(type);

    private static TypeDefinition Outermost(TypeDefinition type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    private static IEnumerable<TypeReference?> MentionsIn(TypeDefinition type) =>
    [
        type.BaseType,
        .. type.Interfaces.Select(each => each.InterfaceType),
        .. type.GenericParameters.SelectMany(each => each.Constraints).Select(each => each.ConstraintType),
        .. type.Fields.Select(field => field.FieldType),
        .. type.Methods.SelectMany(MentionsIn),
    ];

    private static IEnumerable<TypeReference?> MentionsIn(MethodDefinition method) =>
    [
        .. MentionsIn((MethodReference)method),
        .. method.GenericParameters.SelectMany(each => each.Constraints).Select(each => each.ConstraintType),
        .. method.HasBody ? method.Body.Variables.Select(local => local.VariableType) : [],
        .. method.HasBody ? method.Body.ExceptionHandlers.Select(handler => handler.CatchType) : [],
        .. method.HasBody ? method.Body.Instructions.SelectMany(instruction => MentionsIn(instruction.Operand)) : [],
    ];

    private static IEnumerable<TypeReference?> MentionsIn(MethodReference method) => [method.DeclaringType, method.ReturnType, .. method.Parameters.Select(parameter => parameter.ParameterType)];

    private static IEnumerable<TypeReference?> MentionsIn(object? operand) => operand switch
    {
        TypeReference type => [type],
        FieldReference field => [field.DeclaringType, field.FieldType],
        GenericInstanceMethod generic => [.. MentionsIn(generic.ElementMethod), .. generic.GenericArguments],
        MethodReference method => MentionsIn(method),
        _ => [],
    };

    /// <summary>The types that a constructed one is made of.</summary>
    private static IEnumerable<TypeReference> Parts(TypeReference? type) => type switch
    {
        null or GenericParameter => [],
        GenericInstanceType generic => generic.GenericArguments.SelectMany(Parts).Append(generic.ElementType),
        TypeSpecification constructed => Parts(constructed.ElementType),
        _ => [type],
    };

    [GeneratedRegex(@"^public [\w ]*?\b(?:class|record struct|record|struct|interface|enum) (\w+)", RegexOptions.Multiline)]
    private static partial Regex PublicType();
}
