using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.Docs.Tests.House;

/// <summary>What is small can be read at once.</summary>
public class SizeTests
{
    private const int MostLines = 350;
    private const int MostLinesOfMethod = 50;
    private const int MostFiles = 20;

    private static readonly string[] s_sources = [.. new[] { "src", "tests", "benchmarks", "samples", "docs" }.SelectMany(folder => Repository.Files(folder, "*.cs"))];

    [Fact]
    public void No_file_is_long() => Nothing.In(s_sources.Where(path => File.ReadLines(path).Count() > MostLines).Select(Repository.NameOf));

    [Fact]
    public void No_folder_is_crowded() =>
        Nothing.In(s_sources.CountBy(path => Path.GetDirectoryName(path)!).Where(folder => folder.Value > MostFiles).Select(folder => Repository.NameOf(folder.Key)));

    [Fact]
    public void No_method_is_long() => Nothing.In(s_sources.SelectMany(LongMethodsOf));

    [Fact]
    public void A_long_method_is_found()
    {
        var lines = string.Concat(Enumerable.Repeat("        System.Console.WriteLine();\n", MostLinesOfMethod));
        Assert.Equal(["Long"], LongMethodsIn($"class C\n{{\n    void Long()\n    {{\n{lines}    }}\n}}"));
    }

    private static IEnumerable<string> LongMethodsOf(string path) => LongMethodsIn(File.ReadAllText(path)).Select(name => $"{Repository.NameOf(path)}: {name}");

    private static IEnumerable<string> LongMethodsIn(string source) =>
        CSharpSyntaxTree.ParseText(source).GetRoot().DescendantNodes().OfType<BaseMethodDeclarationSyntax>().Where(method => LinesOf(method) > MostLinesOfMethod).Select(NameOf);

    /// <summary>Counts from the signature: a table of test cases in attributes is no code.</summary>
    private static int LinesOf(BaseMethodDeclarationSyntax method)
    {
        var first = method.AttributeLists.Count == 0 ? method.GetFirstToken() : method.AttributeLists[^1].GetLastToken().GetNextToken();
        return method.GetLocation().GetLineSpan().EndLinePosition.Line - first.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
    }

    private static string NameOf(BaseMethodDeclarationSyntax method) => method is MethodDeclarationSyntax named ? named.Identifier.Text : "constructor";
}
