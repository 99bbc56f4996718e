using Accounting;
using Npgsql;
using ReplicaRouter;

try
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddReplicaRouter();
    builder.AddAccounting();

    await using var app = builder.Build();
    app.MapAccounting();
    await app.PrepareDatabaseAsync();
    await app.RunAsync();
    return 0;
}
catch (Exception e) when (e is DatabaseRouterConfigurationException or NpgsqlException)
{
    // Prints only the message, which says what to change: a stack trace would hide it from the operator.
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}
