import Foundation

/// What a longer or shorter run of a suite is told by environment variables.
public enum TestSettings {
    /// The variable's integer, or the default where it is not set or none.
    public static func integer(_ name: String, default standard: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? standard
    }
}
