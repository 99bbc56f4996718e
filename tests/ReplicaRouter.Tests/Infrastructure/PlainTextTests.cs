namespace ReplicaRouter.Tests.Infrastructure;

[Trait("Failure", "C12")]
public sealed class PlainTextTests
{
    [Theory]
    [InlineData("password authentication failed for user \"app\"", "password authentication failed for user \"app\"")]
    [InlineData("Übergröße 数据库 é", "Übergröße 数据库 é")]
    [InlineData("a\u001b[2Jb", "a [2Jb")]
    [InlineData("a\r\nINFO forged line", "a  INFO forged line")]
    [InlineData("a\u009b2Jb\u0000", "a 2Jb ")]
    [InlineData("abc\u202egpj.exe\u200b", "abc gpj.exe ")]
    public void Control_characters_line_breaks_and_bidi_overrides_become_spaces(string text, string plain) => Assert.Equal(plain, PlainText.Of(text));

    [Fact]
    public void A_long_text_is_truncated() => Assert.Equal(new string('x', 500) + " ...", PlainText.Of(new string('x', 1_000_000)));
}
