using System.ComponentModel.DataAnnotations;

namespace Accounting.Invoices;

/// <summary>A payment to book, in whole cents.</summary>
public sealed record Payment : IValidatableObject
{
    [Range(0.01, 1e11)]
    public required decimal Amount { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (decimal.Round(Amount, 2) != Amount) yield return new("The amount can have at most two decimal places.", [nameof(Amount)]);
    }
}

public enum PaymentOutcome
{
    Booked,
    NoSuchInvoice,
    ExceedsBalance,
}

/// <param name="Invoice">The invoice after the payment; unchanged if the payment exceeds the balance.</param>
public sealed record PaymentResult(PaymentOutcome Outcome, Invoice? Invoice);
