namespace Accounting.Hosting;

/// <summary>Whether the application has finished starting.</summary>
internal sealed class StartState
{
    private volatile bool _isReady;

    public bool IsReady
    {
        get => _isReady;
        set => _isReady = value;
    }
}
