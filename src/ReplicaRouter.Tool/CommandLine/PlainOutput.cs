using Spectre.Console;
using Spectre.Console.Rendering;

namespace ReplicaRouter.Tool.CommandLine;

/// <summary>Lets through to the terminal what the tool itself draws, and no control characters of texts that come from servers or sources of hosts.</summary>
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
