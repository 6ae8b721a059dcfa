namespace TaskRecovery.WebSample;

/// <summary>Answers only what a page of this shop has sent. Any other page that is open in the browser can post forms here
/// too.</summary>
internal static class OwnPage
{
    public static ValueTask<object?> RequireAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
        => IsSender(context.HttpContext.Request)
            ? next(context)
            : ValueTask.FromResult<object?>(Results.Text(
                "This was not sent by a page of the shop.", statusCode: StatusCodes.Status403Forbidden));

    private static bool IsSender(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        var origin = request.Headers.Origin.ToString();
        return site.Length > 0 ? site == "same-origin" : origin == $"{request.Scheme}://{request.Host}";
    }
}
