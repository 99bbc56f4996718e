using System.Text;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ReplicaRouter.AspNetCore.Tests;

/// <summary>gRPC calls are HTTP requests: they pass through the same middleware and handler.</summary>
public class GrpcTests
{
    private static readonly Marshaller<string> Text = Marshallers.Create(Encoding.UTF8.GetBytes, Encoding.UTF8.GetString);
    internal static readonly Method<string, string> Work = new(MethodType.Unary, "Worker", "Work", Text, Text);

    [Fact]
    public async Task A_gRPC_call_carries_the_session_both_ways()
    {
        await using var back = await TestApplication.StartAsync(app =>
        {
            app.UseReplicaRouter();
            app.MapGrpcService<Worker>();
        }, services =>
        {
            SessionMiddlewareTests.SharedKeys(services);
            services.AddGrpc();
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IServiceMethodProvider<Worker>, WorkerMethods>());
        }, lsn: 500);
        await using var front = await TestApplication.StartAsync(_ => { }, SessionMiddlewareTests.SharedKeys, lsn: 500);

        using var handler = front.Services.GetRequiredService<SessionHandler>();
        handler.InnerHandler = back.Handler();
        using var channel = GrpcChannel.ForAddress("http://back", new GrpcChannelOptions { HttpHandler = handler });
        using var session = front.Router.BeginSession();
        Assert.Equal("nothing", await channel.CreateCallInvoker().AsyncUnaryCall(Work, null, default, "nothing"));
        // The session now includes what the other service did, and the next call carries it.
        Assert.True(SessionToken.TryDecode(await session.GetTokenAsync(TestContext.Current.CancellationToken), [], out var token));
        Assert.Equal(500UL, token.Position.Lsn);
        Assert.Equal("500", await channel.CreateCallInvoker().AsyncUnaryCall(Work, null, default, "nothing"));
    }
}

/// <summary>Returns the position of the caller's session, then writes.</summary>
internal sealed class Worker(DatabaseRouter router)
{
    public async Task<string> WorkAsync(string request, ServerCallContext call)
    {
        var token = await router.CurrentSession!.GetTokenAsync(call.CancellationToken);
        router.GetClient(DatabaseOperation.Write);
        return SessionToken.TryDecode(token, [], out var decoded) ? decoded.Position.Lsn.ToString(System.Globalization.CultureInfo.InvariantCulture) : request;
    }
}

/// <summary>What the compiler for .proto files would generate.</summary>
internal sealed class WorkerMethods : IServiceMethodProvider<Worker>
{
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<Worker> context) =>
        context.AddUnaryMethod(GrpcTests.Work, [], (service, request, call) => service.WorkAsync(request, call));
}
