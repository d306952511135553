/// What a caller of the HTTP port may do.
public enum AccessRole: String, Sendable, Hashable, CaseIterable {
    /// Read payments, routes, records, metrics and the console.
    case read
    /// Send commands of upstream services.
    case send
    /// Send the commands of the desk: release, reject, resume, resolve.
    case desk
}
