using System.ComponentModel.DataAnnotations;

namespace Accounting.Invoices;

/// <summary>A payment to book, in whole cents.</summary>
public sealed record Payment : IValidatableObject
{
    [Range(0.01, 1e11)]
    public required decimal Amount { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (decimal.Round(Amount, 2) != Amount) yield return new("An amount has two decimal places at most.", [nameof(Amount)]);
    }
}

public enum PaymentOutcome
{
    Booked,
    NoSuchInvoice,
    ExceedsBalance,
}

/// <param name="Invoice">As it is after the payment; when the payment exceeds the balance, as it was.</param>
public sealed record PaymentResult(PaymentOutcome Outcome, Invoice? Invoice);
