using System.Text.Json;
using Npgsql;

namespace ReplicaRouter.Checks;

/// <summary>
/// The program of a <see cref="SessionProcess"/>: one router, configured by environment variables. Each line of standard input orders one session;
/// each line of standard output answers one order. The program ends with its input, so that it does not outlive the check.
/// </summary>
internal static class SessionHost
{
    private const int StepsPerSession = 5;

    private static async Task Main()
    {
        await using var router = DatabaseRouter.FromEnvironment();
        await router.WaitUntilReadyAsync();
        while (await Console.In.ReadLineAsync() is { } line) _ = Task.Run(() => AnswerAsync(router, JsonSerializer.Deserialize<SessionOrder>(line)!));
    }

    private static async Task AnswerAsync(DatabaseRouter router, SessionOrder order)
    {
        try
        {
            Console.WriteLine(JsonSerializer.Serialize(await RunAsync(router, order)));
        }
        catch (Exception e)
        {
            // Without an answer, the worker would wait forever.
            await Console.Error.WriteLineAsync($"A session failed: {e}");
            Environment.Exit(1);
        }
    }

    private static async Task<SessionAnswer> RunAsync(DatabaseRouter router, SessionOrder order)
    {
        var register = new Register(order.Id, new Random(order.Seed), order.Written, order.Known);
        var errors = 0;
        using var session = router.CreateSession(order.Token);
        for (var i = 0; i < StepsPerSession; i++)
        {
            try
            {
                await register.StepAsync(router, new OperationOptions { Session = session }, CancellationToken.None);
            }
            catch (Exception e) when (e is NpgsqlException or TransactionOutcomeUnknownException)
            {
                // Errors are expected while servers are down; this check is about what sessions report.
                errors++;
            }
        }

        var token = await session.GetTokenAsync();
        if (session.HasLostHistory) await Console.Error.WriteLineAsync($"{TimeProvider.System.GetUtcNow():O}: session {order.Id} lost its history; token before '{order.Token}', after '{token}'");
        return new SessionAnswer(order.Id, token, register.Written, register.Known, session.HasLostHistory, errors, register.Violations);
    }
}
