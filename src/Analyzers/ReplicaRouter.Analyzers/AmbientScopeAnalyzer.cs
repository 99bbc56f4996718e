using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;

namespace ReplicaRouter.Analyzers;

/// <summary>Finds sessions and routes that an async iterator makes ambient across a <c>yield</c>.</summary>
/// <remarks>
/// Ambient state flows with the execution context. Each step of an async iterator runs in its caller's context, and changes that the step makes to that context are
/// undone when the step ends.
/// </remarks>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class AmbientScopeAnalyzer : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor Rule = new(
        "RR0001",
        "An ambient session or route ends at the next yield of an async iterator",
        "The scope that '{0}' begins ends at the next 'yield' of this async iterator. Pass the session or route to each call, or begin it again after each 'yield'.",
        "Reliability",
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: "docs/guide/consistency.md#in-an-async-iterator");

    private static readonly ImmutableHashSet<string> Begins = ["BeginSession", "BeginRoute", "Enter"];
    private static readonly ImmutableHashSet<string> Types = ["DatabaseRouter", "SessionMetadata", "DatabaseSession"];

    /// <inheritdoc />
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [Rule];

    /// <inheritdoc />
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterSyntaxNodeAction(Analyze, SyntaxKind.InvocationExpression);
    }

    private static void Analyze(SyntaxNodeAnalysisContext context)
    {
        var invocation = (InvocationExpressionSyntax)context.Node;
        if (NameOf(invocation.Expression) is not { } name || !Begins.Contains(name) || !IsHeldAcrossYield(invocation)) return;
        if (context.SemanticModel.GetSymbolInfo(invocation, context.CancellationToken).Symbol is not IMethodSymbol { ContainingType: { } type } method) return;
        if (!Types.Contains(type.Name) || type.ContainingNamespace is not { Name: "ReplicaRouter", ContainingNamespace.IsGlobalNamespace: true }) return;
        context.ReportDiagnostic(Diagnostic.Create(Rule, invocation.GetLocation(), method.Name));
    }

    private static string? NameOf(ExpressionSyntax called) => called switch
    {
        MemberAccessExpressionSyntax access => access.Name.Identifier.ValueText,
        MemberBindingExpressionSyntax binding => binding.Name.Identifier.ValueText,
        SimpleNameSyntax name => name.Identifier.ValueText,
        _ => null,
    };

    /// <summary>Returns whether an async iterator yields while it holds the result of the call.</summary>
    private static bool IsHeldAcrossYield(InvocationExpressionSyntax invocation)
    {
        if (AsyncFunctionOf(invocation) is not { } function) return false;
        return invocation.FirstAncestorOrSelf<StatementSyntax>() switch
        {
            UsingStatementSyntax { Statement: { } held } => Yields(held),
            LocalDeclarationStatementSyntax { Parent: { } block } declaration when !declaration.UsingKeyword.IsKind(SyntaxKind.None) =>
                block.ChildNodes().SkipWhile(node => node != declaration).Any(Yields),
            _ => Yields(function),
        };
    }

    /// <summary>Returns the body of the async method or local function around a node. A lambda cannot be an iterator.</summary>
    private static BlockSyntax? AsyncFunctionOf(SyntaxNode node) => node.Ancestors().FirstOrDefault(IsFunction) switch
    {
        MethodDeclarationSyntax { Body: { } body } method when method.Modifiers.Any(SyntaxKind.AsyncKeyword) => body,
        LocalFunctionStatementSyntax { Body: { } body } local when local.Modifiers.Any(SyntaxKind.AsyncKeyword) => body,
        _ => null,
    };

    private static bool Yields(SyntaxNode node) =>
        node.DescendantNodesAndSelf(inner => !IsFunction(inner)).Any(inner => inner.IsKind(SyntaxKind.YieldReturnStatement));

    private static bool IsFunction(SyntaxNode node) => node is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AnonymousFunctionExpressionSyntax;
}
