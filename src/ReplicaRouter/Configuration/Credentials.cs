using Npgsql;

namespace ReplicaRouter.Configuration;

/// <summary>Sets up data sources so that the password provider, if any, is asked at each login, and Npgsql shows no password.</summary>
internal static class Credentials
{
    /// <summary>Creates a builder for the router's own connections to a host, outside the callers' pools. They log in like those, including TLS.</summary>
    public static NpgsqlDataSourceBuilder Unpooled(HostConfiguration host, HostLogin login)
    {
        var builder = new NpgsqlDataSourceBuilder(host.Connection.ConnectionString);
        Apply(builder, host, login.PasswordProvider);
        login.Configure?.Invoke(builder);
        builder.UsePhysicalConnectionInitializer(null, null);
        // Npgsql logs each command, and probes run several a second.
        builder.UseLoggerFactory(null);
        var settings = builder.ConnectionStringBuilder;
        settings.Pooling = false;
        // Multiplexing needs a pool.
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
        // Npgsql rejects a password provider beside either.
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
            // Without its text or the exception itself: a vault client's exceptions can contain the vault's token, and ours are logged and shown.
            throw new NoPasswordException($"PasswordProvider failed for host '{request.Host}' with {e.GetType().Name}. Have the provider log its own errors.");
        }

        return string.IsNullOrEmpty(password) ? throw new NoPasswordException($"PasswordProvider returned no password for host '{request.Host}'.") : password;
    }
}

/// <summary>The application's password provider failed. The server is not the cause.</summary>
internal sealed class NoPasswordException(string message) : NpgsqlException(message);
