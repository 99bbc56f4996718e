namespace ReplicaRouter.Testing.Fake;

/// <summary>Which columns of a result a client wants in binary format: no code means none, one code applies to all, else there is one per column.</summary>
internal readonly record struct ResultFormats(int[] Codes)
{
    public static ResultFormats Text => new([]);

    public bool IsBinary(int column) => Codes.Length > 0 && Codes[Codes.Length == 1 ? 0 : column] == 1;
}
