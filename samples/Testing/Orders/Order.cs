namespace Orders;

#region order
/// <summary>An order of a quantity of one product.</summary>
public sealed record Order(Guid Id, string Product, int Quantity);
#endregion
