namespace Orders;

#region exception
/// <summary>There is less of a product than was ordered.</summary>
public sealed class OutOfStockException(string product) : Exception($"There is not enough of '{product}'.");
#endregion
