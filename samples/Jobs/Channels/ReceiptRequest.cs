namespace Jobs.Channels;

#region envelope
/// <summary>A message in the channel: the work, and the token of the session that the worker continues.</summary>
public sealed record ReceiptRequest(Guid OrderId, string SessionToken);
#endregion
