namespace TaskRecovery.WebSample;

[JobKind("order.confirm")]
internal sealed record ConfirmOrder(int Order, string Mail, decimal Total);

[JobKind("mail.send")]
internal sealed record SendMail(string To, string Subject);

[JobKind("picture.resize")]
internal sealed record ResizePicture(int Product, int Width);

/// <summary>Nobody works on this kind: its entries wait, and the dashboard says so.</summary>
[JobKind("mail.digest")]
internal sealed record SendDigest(string To);

[JobKind("stock.sync")]
internal sealed record SyncStock(string Warehouse);

[JobKind("report.write")]
internal sealed record WriteReport(int Pages);
