using Accounting.Database;
using ReplicaRouter;

namespace Accounting.Invoices;

public sealed class PaymentService(DatabaseRouter router)
{
    // The row stays locked until the commit, and the condition is checked on the locked row, so concurrent payments cannot overpay.
    private const string Pay =
        $"""
        UPDATE invoices
        SET paid_amount = paid_amount + @amount,
            balance_amount = balance_amount - @amount,
            status = CASE WHEN balance_amount = @amount THEN 'paid' ELSE 'partial' END,
            updated_at = now()
        WHERE id = @invoiceId AND balance_amount >= @amount
        RETURNING {Invoice.Columns}
        """;

    private const string Audit =
        """
        INSERT INTO audit_log (organization_id, action, entity_type, entity_id, new_values)
        VALUES (@OrganizationId, 'payment_processed', 'invoice', @Id,
                jsonb_build_object('paymentAmount', @amount::numeric, 'newBalance', @BalanceAmount::numeric))
        RETURNING id
        """;

    /// <summary>Books a payment and its audit entry in one transaction on the primary: both or neither.</summary>
    public Task<PaymentResult> ProcessInvoicePaymentAsync(Guid invoiceId, decimal amount, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(amount);
        return router.WithTransactionAsync(
            async (transaction, token) =>
            {
                var connection = transaction.Connection!;
                var paid = await connection.QueryOneAsync<Invoice>(Pay, new { invoiceId, amount }, token);
                if (paid is null)
                {
                    var invoice = await connection.QueryOneAsync<Invoice>(
                        $"SELECT {Invoice.Columns} FROM invoices WHERE id = @invoiceId", new { invoiceId }, token);
                    return new PaymentResult(invoice is null ? PaymentOutcome.NoSuchInvoice : PaymentOutcome.ExceedsBalance, invoice);
                }

                await connection.QueryAsync<Guid>(Audit, new { paid.OrganizationId, paid.Id, amount, paid.BalanceAmount }, token);
                return new PaymentResult(PaymentOutcome.Booked, paid);
            },
            cancellationToken);
    }
}
