internal import CausalKernels

/// A function of a variable's parents that somebody knows: physics, a pretrained network. Two are equal when they are one and the same.
public final class Formula: Sendable, Hashable {
    package let function: Scenario.Function

    /// - Parameter value: is given the parents, in the order of the graph, in the user's units.
    public convenience init(_ value: @escaping @Sendable ([Double]) -> Double) { self.init(function: byRow(value)) }

    package init(function: @escaping Scenario.Function) { self.function = function }

    public static func == (a: Formula, b: Formula) -> Bool { a === b }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
