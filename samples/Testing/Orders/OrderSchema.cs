namespace Orders;

#region schema
/// <summary>The tables of the order service.</summary>
public static class OrderSchema
{
    public const string Sql =
        """
        CREATE TABLE IF NOT EXISTS stock (product text PRIMARY KEY, quantity int NOT NULL CHECK (quantity >= 0));
        CREATE TABLE IF NOT EXISTS orders (id uuid PRIMARY KEY, product text NOT NULL REFERENCES stock, quantity int NOT NULL);
        """;
}
#endregion
