namespace Accounting.Organizations;

internal static class OrganizationEndpoints
{
    public static void MapOrganizations(this IEndpointRouteBuilder app) =>
        app.MapGet("/organizations", (OrganizationService organizations, CancellationToken cancellationToken) =>
            organizations.ListAsync(cancellationToken));
}
