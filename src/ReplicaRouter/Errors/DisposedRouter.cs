using System.Diagnostics.CodeAnalysis;

namespace ReplicaRouter.Errors;

/// <summary>The error of every part of a router that was disposed of. It names the type that callers know.</summary>
internal static class DisposedRouter
{
    [SuppressMessage("Maintainability", "CA1513", Justification = "The part that notices is internal.")]
    public static void ThrowIf([DoesNotReturnIf(true)] bool isDisposed)
    {
        if (isDisposed) throw new ObjectDisposedException("ReplicaRouter.DatabaseRouter");
    }
}
