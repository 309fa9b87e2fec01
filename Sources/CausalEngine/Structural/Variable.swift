/// A quantity of a structural model. Its values are numbers in the user's units, or whole numbers 0 ..< levels.
public struct Variable: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case real
        /// One of so many levels, 0 ..< levels; two for a binary variable.
        case categorical(levels: Int)
    }

    /// The most levels that a categorical variable has.
    public static let mostLevels = 4096

    public let name: String
    public let kind: Kind

    public init(_ name: String, _ kind: Kind = .real) {
        self.name = name
        self.kind = kind
    }

    /// Columns that stand for it where it is an input of a network: itself, or an indicator for each level (of two, one says it all).
    package var codeWidth: Int {
        switch kind {
        case .real: 1
        case .categorical(let levels): levels == 2 ? 1 : levels
        }
    }

    /// Whether the variable can have this value.
    package func allows(_ value: Double) -> Bool {
        switch kind {
        case .real: value.isFinite
        case .categorical(let levels): value >= 0 && value < Double(levels) && value == value.rounded(.down)
        }
    }

    package var expectation: String {
        switch kind {
        case .real: "a finite number"
        case .categorical(let levels): "a whole number from 0 to \(levels - 1)"
        }
    }

    func validate() throws(EngineError) {
        guard case .categorical(let levels) = kind else { return }
        guard (2...Variable.mostLevels).contains(levels) else {
            throw EngineError(.value, "variable \(name): \(levels) levels, expected 2 to \(Variable.mostLevels)")
        }
    }
}
