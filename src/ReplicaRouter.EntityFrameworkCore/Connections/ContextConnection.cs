using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Transactions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace ReplicaRouter;

/// <summary>
/// The connection of a context, for writes, transactions and everything not known to read. Queries that read use a separate
/// <see cref="ReadConnection"/>, unless the context is bound to a route or this connection is in use.
/// </summary>
internal sealed class ContextConnection : RouterConnection, INpgsqlRelationalConnection
{
    private readonly NpgsqlDataSourceManager _dataSources;
    private ContextSession? _session;
    private ReadConnection? _reads;
    private BoundRoute? _bound;
    private bool _isKept;
    private int _moves;

    public ContextConnection(RelationalConnectionDependencies dependencies, NpgsqlDataSourceManager dataSources)
        : base(Lean(dependencies), RouterOptionsExtension.Of(dependencies.ContextOptions).Router) => _dataSources = dataSources;

    /// <summary>Transactions begun so far. Two values differ if the code in between began one.</summary>
    public int Transactions { get; private set; }

    /// <summary>Whether work on this connection can write.</summary>
    public bool MayWrite => !Router.Engine.IsReadOnly(Route);

    /// <summary>Whether the application supplied the connection, which can lead to any server.</summary>
    public bool IsForeign { get; private set; }

    /// <summary>Whether each command is its own transaction.</summary>
    public bool IsAutoCommit => CurrentTransaction is null && EnlistedTransaction is null && CurrentAmbientTransaction is null;

    /// <summary>Whether the connection was lost during its last use.</summary>
    public bool IsLost => Current is not { State: System.Data.ConnectionState.Open };

    /// <summary>The server's address, for error messages.</summary>
    public string Server => Current is { } connection ? $"{connection.Host}:{connection.Port}" : "the primary";

    protected override bool SupportsAmbientTransactions => true;

    /// <summary>
    /// A caller that reads this while it is closed will use it without EF. It gets a connection to a host chosen now, which the context then
    /// keeps for the rest of its life.
    /// </summary>
    [AllowNull]
    public override DbConnection DbConnection
    {
        get
        {
            if (Current is null && _moves == 0) Keep(Router.Engine.CreateConnection(Route, Options() ?? default));
            return base.DbConnection;
        }
        set => base.DbConnection = value;
    }

    [AllowNull]
    public override string ConnectionString
    {
        get
        {
            using var connection = Router.Engine.CreateConnection(Route, default);
            return connection.ConnectionString;
        }

        set => throw new NotSupportedException("A context's connection string can't be set. Configure the servers in the router's options.");
    }

    public DbDataSource? DataSource
    {
        get => null;
        set => throw new NotSupportedException("A context's data source can't be set. Configure the servers in the router's options.");
    }

    private DatabaseRoute Route => _bound?.Route ?? DatabaseOperation.Write;

    /// <summary>Sends all work of the context to one route.</summary>
    public void Bind(DatabaseRoute route, OperationOptions? options) => _bound = new BoundRoute(route, options);

    /// <summary>Returns the connection for a query.</summary>
    public IRelationalConnection For(QueryIntent intent, OperationOptions? options)
    {
        if (intent.Writes || _bound is not null || IsInUse) return this;
        var route = intent.Route ?? Router.Engine.AmbientRoute ?? (intent.UsesSql ? DatabaseOperation.Write : DatabaseOperation.Read);
        if (route.BuiltIn is DatabaseOperation.Write or DatabaseOperation.Transactional) return this;
        _reads ??= new ReadConnection(Dependencies, Router);
        _reads.CommandTimeout = CommandTimeout;
        return _reads.For(route, _session is null ? options : _session.ForRead(options));
    }

    /// <summary>Records what ended a query that reads, so that it is retried elsewhere.</summary>
    public void Failed(Exception exception) => _reads?.Failed(exception);

    /// <summary>Looks up the outcome of a transaction whose COMMIT got no answer.</summary>
    public Task<TransactionOutcome> ResolveAsync(TransactionMark mark, CancellationToken cancellationToken) => Router.Engine.ResolveInTimeAsync(mark, Options() ?? default, cancellationToken);

    public override void SetDbConnection(DbConnection? value, bool contextOwnsConnection)
    {
        if (Current is { State: System.Data.ConnectionState.Open }) throw new InvalidOperationException("The context's connection is open. Close it before setting another one.");
        _isKept = IsForeign = false;
        CloseDbConnection();
        if (value is null) return;
        Keep((NpgsqlConnection)value);
        IsForeign = !contextOwnsConnection;
    }

    public override bool Open(bool errorsExpected = false)
    {
        _moves++;
        try
        {
            return base.Open(errorsExpected);
        }
        finally
        {
            _moves--;
        }
    }

    public override async Task<bool> OpenAsync(CancellationToken cancellationToken, bool errorsExpected = false)
    {
        _moves++;
        try
        {
            return await base.OpenAsync(cancellationToken, errorsExpected).ConfigureAwait(false);
        }
        finally
        {
            _moves--;
        }
    }

    public override bool Close()
    {
        _moves++;
        try
        {
            return base.Close();
        }
        finally
        {
            _moves--;
        }
    }

    public override async Task<bool> CloseAsync()
    {
        _moves++;
        try
        {
            return await base.CloseAsync().ConfigureAwait(false);
        }
        finally
        {
            _moves--;
        }
    }

    public INpgsqlRelationalConnection CreateAdminConnection()
    {
        var database = Dependencies.ContextOptions.FindExtension<NpgsqlOptionsExtension>()!.AdminDatabase ?? "postgres";
        return Clone(new NpgsqlConnectionStringBuilder(ConnectionString) { Database = database, Pooling = false }.ToString());
    }

    public ValueTask<INpgsqlRelationalConnection> CloneWith(string connectionString, bool async, CancellationToken cancellationToken = default) => new(Clone(connectionString));

    protected override NpgsqlConnection OpenRouted() => Options() is { } options ? Router.OpenConnection(Route, options) : Router.OpenConnection(Route);

    protected override ValueTask<NpgsqlConnection> OpenRoutedAsync(CancellationToken cancellationToken) =>
        Options() is { } options ? Router.OpenConnectionAsync(Route, options, cancellationToken) : Router.OpenConnectionAsync(Route, cancellationToken);

    protected override void OpenDbConnection(bool errorsExpected)
    {
        if (_isKept) Current!.Open();
        else base.OpenDbConnection(errorsExpected);
    }

    protected override Task OpenDbConnectionAsync(bool errorsExpected, CancellationToken cancellationToken) =>
        _isKept ? Current!.OpenAsync(cancellationToken) : base.OpenDbConnectionAsync(errorsExpected, cancellationToken);

    protected override void CloseDbConnection()
    {
        if (_isKept) Current!.Close();
        else base.CloseDbConnection();
    }

    protected override Task CloseDbConnectionAsync() => _isKept ? Current!.CloseAsync() : base.CloseDbConnectionAsync();

    protected override DbTransaction ConnectionBeginTransaction(System.Data.IsolationLevel isolationLevel)
    {
        Transactions++;
        return base.ConnectionBeginTransaction(isolationLevel);
    }

    protected override ValueTask<DbTransaction> ConnectionBeginTransactionAsync(System.Data.IsolationLevel isolationLevel, CancellationToken cancellationToken = default)
    {
        Transactions++;
        return base.ConnectionBeginTransactionAsync(isolationLevel, cancellationToken);
    }

    protected override void ResetState(bool disposeDbConnection)
    {
        if (IsForeign) Current = null;
        _isKept = IsForeign = false;
        base.ResetState(disposeDbConnection);
        _reads?.Dispose();
        _session = null;
        _bound = null;
    }

    protected override async ValueTask ResetStateAsync(bool disposeDbConnection)
    {
        if (_reads is not null) await _reads.DisposeAsync().ConfigureAwait(false);
        if (IsForeign) Current = null;
        _isKept = IsForeign = false;
        await base.ResetStateAsync(disposeDbConnection).ConfigureAwait(false);
    }

    /// <summary>Whether the connection is open for more than one query, or current work belongs to a transaction.</summary>
    private bool IsInUse => Current is { State: System.Data.ConnectionState.Open } || IsForeign || Transaction.Current is not null;

    private OperationOptions? Options() => MayWrite ? (_session ??= new ContextSession(Router)).ForWrite(_bound?.Options) : _bound?.Options;

    /// <summary>Returns a copy with shared options and command builder, because each context creates connections, whose constructors then allocate less.</summary>
    private static RelationalConnectionDependencies Lean(RelationalConnectionDependencies dependencies) => dependencies with
    {
        ContextOptions = RouterOptionsExtension.Of(dependencies.ContextOptions).ForConnections(dependencies.ContextOptions),
        RelationalCommandBuilderFactory = ((RoutedCommandBuilderFactory)dependencies.RelationalCommandBuilderFactory).Lent,
    };

    private void Keep(NpgsqlConnection connection)
    {
        Current = connection;
        _isKept = true;
    }

    private NpgsqlRelationalConnection Clone(string connectionString)
    {
        var connection = Router.Engine.CreateConnection(Route, default).CloneWith(connectionString);
        var options = new DbContextOptionsBuilder();
        var extension = Dependencies.ContextOptions.FindExtension<NpgsqlOptionsExtension>()!.WithConnection(connection, owned: true);
        ((IDbContextOptionsBuilderInfrastructure)options).AddOrUpdateExtension(extension);
        return new NpgsqlRelationalConnection(Dependencies with { ContextOptions = options.Options }, _dataSources, options.Options);
    }

    private sealed record BoundRoute(DatabaseRoute Route, OperationOptions? Options);
}
