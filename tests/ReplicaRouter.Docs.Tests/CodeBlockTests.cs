namespace ReplicaRouter.Docs.Tests;

/// <summary>The code blocks of the documentation compile.</summary>
public class CodeBlockTests
{
    [Fact]
    public void Every_CSharp_block_is_in_a_compiled_region()
    {
        var blocks = Page.All.SelectMany(page => page.Blocks).Where(block => block.Language == "csharp").ToList();
        Assert.NotEmpty(blocks);
        var missing = blocks.Where(block => !CompiledCode.OfRepository.Holds(block.Code)).ToList();
        Assert.True(missing.Count == 0,
            $"These blocks are not compiled. Put each into a #region of docs/snippets, samples or tests:\n{string.Join('\n', missing)}");
    }

    [Fact]
    public void Code_blocks_use_only_known_language_tags() =>
        Assert.All(Page.All.SelectMany(page => page.Blocks), block => Assert.True(
            block.Language is "csharp" or "json" or "bash" or "sql" or "promql" or "xml" or "yaml" or "text" or "", $"{block}: '{block.Language}'"));

    [Theory]
    [InlineData("var a = 1;", true)]
    [InlineData("  var a =\n    1;", true)]
    [InlineData("var a = 2;", false)]
    [InlineData("var a = 1; var b = 2;", true)]
    [InlineData("ar a = 1;", false)]
    [InlineData("var c = 3;", false)]
    public void Regions_match_blocks_regardless_of_white_space(string block, bool isHeld) =>
        Assert.Equal(isHeld, new CompiledCode(["x\n  #region\n  var a = 1;\n  var b = 2;\n  #endregion\nvar c = 3;"]).Holds(block));
}
