using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;
using Microsoft.EntityFrameworkCore.Update.Internal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace ReplicaRouter;

/// <summary>The router in a context's options. Replaces services of the provider.</summary>
internal sealed class RouterOptionsExtension(DatabaseRouter router) : IDbContextOptionsExtension
{
    private DbContextOptionsExtensionInfo? _info;
    private ConnectionOptions? _forConnections;

    public DatabaseRouter Router => router;

    public DbContextOptionsExtensionInfo Info => _info ??= new ExtensionInfo(this);

    public static RouterOptionsExtension Of(IDbContextOptions options) => options.FindExtension<RouterOptionsExtension>()!;

    /// <summary>Returns what connections need from a context's options.</summary>
    public ConnectionOptions ForConnections(IDbContextOptions options)
    {
        // Contexts whose other options differ can share this extension.
        var npgsql = options.FindExtension<NpgsqlOptionsExtension>()!;
        return _forConnections is { } known && known.Npgsql == npgsql ? known : _forConnections = new ConnectionOptions(npgsql);
    }

    public void ApplyServices(IServiceCollection services)
    {
        services.Replace(ServiceDescriptor.Scoped<INpgsqlRelationalConnection, ContextConnection>());
        services.Replace(ServiceDescriptor.Scoped<IDatabase, RoutedDatabase>());
        services.Replace(ServiceDescriptor.Scoped<IQueryContextFactory, RoutedQueryContextFactory>());
        services.Replace(ServiceDescriptor.Scoped<IBatchExecutor, RoutedBatchExecutor>());
        services.Replace(ServiceDescriptor.Scoped<IExecutionStrategyFactory, RoutedExecutionStrategyFactory>());
        services.Replace(ServiceDescriptor.Singleton<IRelationalCommandBuilderFactory, RoutedCommandBuilderFactory>());
        services.Replace(ServiceDescriptor.Singleton<IRelationalTransactionFactory, RoutedTransactionFactory>());
    }

    public void Validate(IDbContextOptions options)
    {
    }

    private sealed class ExtensionInfo(RouterOptionsExtension extension) : DbContextOptionsExtensionInfo(extension)
    {
        public override bool IsDatabaseProvider => false;

        public override string LogFragment => "ReplicaRouter ";

        // Services find the router in their context's options, so contexts of different routers can share a service provider.
        public override int GetServiceProviderHashCode() => 0;

        public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other) => other is ExtensionInfo;

        public override void PopulateDebugInfo(IDictionary<string, string> debugInfo) => debugInfo["ReplicaRouter"] = "1";
    }
}
