using Spectre.Console;
using Spectre.Console.Rendering;

namespace ReplicaRouter.Tool.CommandLine;

/// <summary>Removes control characters from texts of servers and discovery sources, and passes on the tool's own control codes.</summary>
internal sealed class PlainOutput : IRenderHook
{
    public IEnumerable<IRenderable> Process(RenderOptions options, IEnumerable<IRenderable> renderables) => renderables.Select(renderable => new Plain(renderable));

    private sealed class Plain(IRenderable inner) : IRenderable
    {
        public Measurement Measure(RenderOptions options, int maxWidth) => inner.Measure(options, maxWidth);

        public IEnumerable<Segment> Render(RenderOptions options, int maxWidth) => inner.Render(options, maxWidth).Select(segment =>
            segment.IsControlCode || segment.IsLineBreak ? segment : new Segment(PlainText.Of(segment.Text, int.MaxValue), segment.Style));
    }
}
