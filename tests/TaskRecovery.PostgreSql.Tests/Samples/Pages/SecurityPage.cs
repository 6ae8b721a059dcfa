using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.PostgreSql.Tests.Samples.Pages;

/// <summary>The code of docs/security.md.</summary>
public static class SecurityPage
{
    public static async Task EraseAsync(IJobQueue queue, long id)
    {
        await queue.EraseAsync(EraseTarget.Entry(id));
        await queue.EraseAsync(EraseTarget.ByUniqueKey("invoice-4711"));          // every kind, or one: ByUniqueKey(key, kind)
        await queue.EraseAsync(EraseTarget.ByMetadata("customer", "4711"));
    }

    public static void AddCodec(HostApplicationBuilder builder)
    {
        builder.Services.AddTaskRecovery()
            .AddWorker<Payslip, PayslipWorker>()
            .AddPayloadCodec<Payslip, PayslipCipher>();      // in each process that enqueues or runs the kind
    }
}

public sealed class PayslipCipher(Keys keys) : IPayloadCodec     // created once, from your services
{
    public string Id => "payslip-aes";                // stored with each payload; selects the codec that reads it

    public byte[] Encode(ReadOnlyMemory<byte> json) => keys.Encrypt(json);  // with the id of the key in front, so that keys can be rotated
    public byte[] Decode(ReadOnlyMemory<byte> data) => keys.Decrypt(data);
}

[JobKind("payslip")]
public sealed record Payslip(int Employee);

public sealed class PayslipWorker : IJobWorker<Payslip>
{
    public Task WorkAsync(WorkContext<Payslip> context, CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>The keys of the application; these encrypt nothing.</summary>
public sealed class Keys
{
    public byte[] Encrypt(ReadOnlyMemory<byte> json) => json.ToArray();

    public byte[] Decrypt(ReadOnlyMemory<byte> data) => data.ToArray();
}
