using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace ReplicaRouter.Analyzers.Tests;

[Trait("Failure", "A7")]
public class AmbientScopeAnalyzerTests
{
    private static readonly ImmutableArray<MetadataReference> References =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path))];

    [Theory]
    [InlineData("using var session = router.BeginSession(); yield return 1;", "BeginSession")]
    [InlineData("using var session = router.BeginSession(metadata); yield return 1;", "BeginSession")]
    [InlineData("using var session = SessionMetadata.BeginSession(router, metadata); yield return 1;", "BeginSession")]
    [InlineData("using (router.BeginRoute(DatabaseOperation.Analytics)) { foreach (var i in new[] { 1 }) yield return i; }", "BeginRoute")]
    [InlineData("var scope = router.BeginRoute(DatabaseOperation.Analytics); try { yield return 1; } finally { scope.Dispose(); }", "BeginRoute")]
    [InlineData("using var _ = session.Enter(); await Task.Yield(); yield return 1;", "Enter")]
    [InlineData("using var _ = session?.Enter(); yield return 1;", "Enter")]
    [InlineData("yield return 1; for (;;) { using var _ = session.Enter(); yield return 2; }", "Enter")]
    public async Task A_scope_held_across_a_yield_in_an_async_iterator_is_flagged(string body, string method)
    {
        var found = Assert.Single(await FindAsync($"async IAsyncEnumerable<int> Items() {{ {body} }}"));
        Assert.Equal(("RR0001", DiagnosticSeverity.Warning), (found.Id, found.Severity));
        Assert.Contains($"'{method}'", found.GetMessage(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        Assert.NotEmpty(found.Descriptor.HelpLinkUri);
    }

    [Theory]
    [InlineData("async Task Work() { using var session = router.BeginSession(); await Task.Yield(); }")]
    [InlineData("IEnumerable<int> Items() { using var session = router.BeginSession(); yield return 1; }")]
    [InlineData("async IAsyncEnumerable<int> Items() { using (session.Enter()) { await Task.Yield(); } yield return 1; }")]
    [InlineData("async IAsyncEnumerable<int> Items() { yield return 1; { using var _ = session.Enter(); await Task.Yield(); } }")]
    [InlineData("async IAsyncEnumerable<int> Items() { using var own = router.CreateSession(); await Task.Yield(); yield return 1; }")]
    [InlineData("async IAsyncEnumerable<int> Items() { await Run(async () => { using var own = router.BeginSession(); await Task.Yield(); }); yield return 1; }")]
    [InlineData("async Task Work() { using var own = router.BeginSession(); await foreach (var i in Items()) { } async IAsyncEnumerable<int> Items() { await Task.Yield(); yield return 1; } }")]
    [InlineData("async IAsyncEnumerable<int> Items() { using var own = other.BeginSession(); await Task.Yield(); yield return 1; }")]
    public async Task Other_uses_of_scopes_are_not_flagged(string method) => Assert.Empty(await FindAsync(method));

    private static async Task<ImmutableArray<Diagnostic>> FindAsync(string method)
    {
        var source = $$"""
            using System;
            using System.Collections.Generic;
            using System.Threading.Tasks;
            using ReplicaRouter;

            class Reader(DatabaseRouter router, DatabaseSession session, Dictionary<string, string> metadata, Other other)
            {
                {{method}}
                static Task Run(Func<Task> work) => work();
            }

            class Other
            {
                public IDisposable BeginSession() => throw new NotSupportedException();
            }
            """;
        var compilation = CSharpCompilation.Create("Application", [CSharpSyntaxTree.ParseText(source, cancellationToken: TestContext.Current.CancellationToken)], References,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        Assert.DoesNotContain(compilation.GetDiagnostics(TestContext.Current.CancellationToken), diagnostic => diagnostic.Severity == DiagnosticSeverity.Error);
        return await compilation.WithAnalyzers([new AmbientScopeAnalyzer()]).GetAnalyzerDiagnosticsAsync(TestContext.Current.CancellationToken);
    }
}
