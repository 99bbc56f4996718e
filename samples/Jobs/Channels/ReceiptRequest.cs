namespace Jobs.Channels;

#region envelope
/// <summary>What travels through the channel: the work, and from where its session goes on.</summary>
public sealed record ReceiptRequest(Guid OrderId, string SessionToken);
#endregion
