using Npgsql;

namespace ReplicaRouter.Configuration;

/// <summary>Has passwords asked for at each login, where there is somebody to ask, and none shown by Npgsql.</summary>
internal static class Credentials
{
    /// <summary>For the router's own connections to a host, beside the pools of its callers. They log in as those do, TLS included.</summary>
    public static NpgsqlDataSourceBuilder Unpooled(HostConfiguration host, HostLogin login)
    {
        var builder = new NpgsqlDataSourceBuilder(host.Connection.ConnectionString);
        Apply(builder, host, login.PasswordProvider);
        login.Configure?.Invoke(builder);
        builder.UsePhysicalConnectionInitializer(null, null);
        // Npgsql logs each command, and probes have one several times a second.
        builder.UseLoggerFactory(null);
        var settings = builder.ConnectionStringBuilder;
        settings.Pooling = false;
        // It needs a pool.
        settings.Multiplexing = false;
        settings.MinPoolSize = 0;
        settings.MaxAutoPrepare = 0;
        settings.Options = SessionOptions.ForOwnQuestions(settings);
        return builder;
    }

    public static void Apply(NpgsqlDataSourceBuilder builder, HostConfiguration host, Func<PasswordRequest, CancellationToken, ValueTask<string>>? provider)
    {
        KeyPassword.Hide(builder);
        if (provider is null) return;
        // Npgsql refuses to have both.
        builder.ConnectionStringBuilder.Password = null;
        builder.ConnectionStringBuilder.Passfile = null;
        var request = new PasswordRequest
        {
            Host = host.Name,
            Address = host.Connection.Host!,
            Port = host.Connection.Port,
            Username = host.Connection.Username,
            Database = builder.ConnectionStringBuilder.Database,
        };
        builder.UsePasswordProvider(
            _ => AskAsync(provider, request, CancellationToken.None).AsTask().GetAwaiter().GetResult(),
            (_, cancellationToken) => AskAsync(provider, request, cancellationToken));
    }

    private static async ValueTask<string> AskAsync(Func<PasswordRequest, CancellationToken, ValueTask<string>> provider, PasswordRequest request, CancellationToken cancellationToken)
    {
        string? password;
        try
        {
            password = await provider(request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Neither its text nor itself: what a vault's client throws may hold the vault's token, and what we throw is logged and shown.
            throw new NoPasswordException($"PasswordProvider failed for host '{request.Host}' with {e.GetType().Name}. Have the provider log its own errors.");
        }

        return string.IsNullOrEmpty(password) ? throw new NoPasswordException($"PasswordProvider gave no password for host '{request.Host}'.") : password;
    }
}

/// <summary>Whoever gives the passwords did not. The server has nothing to do with it.</summary>
internal sealed class NoPasswordException(string message) : NpgsqlException(message);
