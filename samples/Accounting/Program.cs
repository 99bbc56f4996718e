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
    // An operator reads this at 3 a.m.: the one sentence that says what to change, and no stack trace above it.
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}
