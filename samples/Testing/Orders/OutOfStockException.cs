namespace Orders;

#region exception
/// <summary>The stock of a product is less than an order of it.</summary>
public sealed class OutOfStockException(string product) : Exception($"There is not enough of '{product}'.");
#endregion
