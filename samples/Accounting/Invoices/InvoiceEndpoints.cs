using System.ComponentModel.DataAnnotations;

namespace Accounting.Invoices;

internal static class InvoiceEndpoints
{
    public static void MapInvoices(this IEndpointRouteBuilder app)
    {
        var invoices = app.MapGroup("/invoices");

        invoices.MapGet("/", (Guid organizationId, InvoiceService service, CancellationToken cancellationToken, [Range(1, 500)] int limit = 50) =>
            service.ListAsync(organizationId, limit, cancellationToken));

        invoices.MapGet("/{id:guid}", async (Guid id, InvoiceService service, CancellationToken cancellationToken) =>
            await service.GetRecentAsync(id, cancellationToken) is { } invoice ? Results.Ok(invoice) : Results.NotFound());

        invoices.MapPost("/{id:guid}/payments", async (Guid id, Payment payment, PaymentService service, CancellationToken cancellationToken) =>
        {
            var result = await service.ProcessInvoicePaymentAsync(id, payment.Amount, cancellationToken);
            return result.Outcome switch
            {
                PaymentOutcome.Booked => Results.Ok(result.Invoice),
                PaymentOutcome.ExceedsBalance => Results.Problem(
                    $"The payment exceeds the invoice's balance of {result.Invoice!.BalanceAmount}.", statusCode: StatusCodes.Status409Conflict),
                _ => Results.NotFound(),
            };
        });
    }
}
