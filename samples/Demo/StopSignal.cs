using System.Runtime.InteropServices;

namespace Demo;

/// <summary>Turns termination signals into a cancellation, so that the program cleans up before it ends.</summary>
internal sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource _stopped = new();
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignal() => _registrations =
        [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT }.Select(signal => PosixSignalRegistration.Create(signal, Stop))];

    public CancellationToken Token => _stopped.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _stopped.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        _stopped.Cancel();
    }
}
