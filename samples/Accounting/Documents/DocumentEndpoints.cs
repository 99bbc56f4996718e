namespace Accounting.Documents;

internal static class DocumentEndpoints
{
    public static void MapDocuments(this IEndpointRouteBuilder app)
    {
        var documents = app.MapGroup("/documents");

        documents.MapPost("/", async (CreateDocument request, DocumentService service, CancellationToken cancellationToken) =>
        {
            var document = await service.CreateAsync(request, cancellationToken);
            return Results.Created($"/documents/{document.Id}", document);
        });

        documents.MapGet("/{id:guid}", async (Guid id, DocumentService service, CancellationToken cancellationToken) =>
            await service.GetAsync(id, cancellationToken) is { } document ? Results.Ok(document) : Results.NotFound());

        documents.MapGet("/stats", (Guid organizationId, DocumentService service, CancellationToken cancellationToken) =>
            service.GetStatsByCategoryAsync(organizationId, cancellationToken));
    }
}
