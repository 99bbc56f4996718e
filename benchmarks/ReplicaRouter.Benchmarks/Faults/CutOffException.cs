namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>A write that lost its connection before the answer: no arm can know whether it was executed.</summary>
internal sealed class CutOffException(Exception cause) : Exception("The connection was lost before the answer to the write.", cause);
