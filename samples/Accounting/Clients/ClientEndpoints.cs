using System.ComponentModel.DataAnnotations;

namespace Accounting.Clients;

internal static class ClientEndpoints
{
    public static void MapClients(this IEndpointRouteBuilder app)
    {
        var clients = app.MapGroup("/clients");

        clients.MapGet("/", (ClientService service, CancellationToken cancellationToken, Guid? organizationId = null, [Range(1, 500)] int limit = 50) =>
            service.ListAsync(organizationId, limit, cancellationToken));

        clients.MapGet("/{id:guid}", async (Guid id, ClientService service, CancellationToken cancellationToken) =>
            await service.GetAsync(id, cancellationToken) is { } client ? Results.Ok(client) : Results.NotFound());

        clients.MapPost("/", async (CreateClient request, ClientService service, CancellationToken cancellationToken) =>
        {
            var client = await service.CreateAsync(request, cancellationToken);
            return Results.Created($"/clients/{client.Id}", client);
        });

        clients.MapPut("/{id:guid}/annual-revenue", async (Guid id, UpdateAnnualRevenue request, ClientService service, CancellationToken cancellationToken) =>
            await service.UpdateAnnualRevenueAsync(id, request.AnnualRevenue, cancellationToken) is { } client
                ? Results.Ok(client)
                : Results.NotFound());
    }
}
