using System.Net;
using Microsoft.AspNetCore.Builder;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Hosting;

/// <summary>An action is done with the fields of its form, or not at all, also if a middleware of the application reads the form.</summary>
public sealed class FormTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_form_that_a_middleware_has_read_has_its_fields()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup
        {
            Middleware = static builder => builder.Use(static async (context, next) =>
            {
                if (context.Request.HasFormContentType)
                {
                    await context.Request.ReadFormAsync(context.RequestAborted);
                }

                await next(context);
            }),
        });

        Assert.Equal(HttpStatusCode.SeeOther, await PauseAsync(app));

        var (action, audit) = Assert.Single(app.Operations.Done);
        Assert.Equal(("pause queue mail", "because"), (action, audit.Reason));
        Assert.Equal(Shop.Now.AddMinutes(60), app.Operations.PausedUntil);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_form_whose_body_a_middleware_has_read_does_nothing(bool readsForm, bool isChunked)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup
        {
            Middleware = builder => builder.Use(async (context, next) =>
            {
                await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
                if (readsForm)
                {
                    await context.Request.ReadFormAsync(context.RequestAborted);
                }

                await next(context);
            }),
        });

        Assert.Equal(HttpStatusCode.BadRequest, await PauseAsync(app, isChunked));

        Assert.Empty(app.Operations.Done);
    }

    private static async Task<HttpStatusCode> PauseAsync(DashboardApp app, bool isChunked = false)
    {
        using var request = Requests.Post("jobs/queues/pause", fields: [("minutes", "60")]);
        request.Headers.TransferEncodingChunked = isChunked;
        using var response = await app.Client.SendAsync(request, Cancellation);
        return response.StatusCode;
    }
}
