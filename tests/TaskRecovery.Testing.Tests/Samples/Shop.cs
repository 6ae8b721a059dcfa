using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>The web application of the documentation's samples: an order sends a mail.</summary>
public sealed class Shop : WebApplicationFactory<Shop>
{
    public FakeMailer Mailer { get; } = new();

    // The factory finds the Program class of an application; this one has none.
    protected override IHostBuilder CreateHostBuilder() => Host.CreateDefaultBuilder().ConfigureWebHostDefaults(web => web
        .ConfigureServices(services =>
        {
            services.AddRouting();
            services.AddSingleton(Mailer);
            services.AddTaskRecovery().UseSqlite("Data Source=shop.db").AddWorker<SendMail, SendMailWorker>().AddKind<Refund>();
        })
        .Configure(app => app.UseRouting().UseEndpoints(
            endpoints => endpoints.MapPost("/orders", async (HttpContext context, IJobQueue queue) =>
            {
                var order = await context.Request.ReadFromJsonAsync<Order>(context.RequestAborted);
                await queue.EnqueueAsync(new SendMail(order!.Customer, "Hello"), cancellationToken: context.RequestAborted);
                return Results.Ok();
            }))));

    protected override void ConfigureWebHost(IWebHostBuilder builder)
        => builder.UseContentRoot(AppContext.BaseDirectory).ConfigureTestServices(services => services.AddTaskRecoveryTesting());
}
