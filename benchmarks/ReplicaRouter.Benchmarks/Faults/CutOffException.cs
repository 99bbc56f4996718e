namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>A write that was sent and lost its connection before the answer: nobody can know whether it was executed, whichever arm sent it.</summary>
internal sealed class CutOffException(Exception cause) : Exception("Cut off from its answer.", cause);
