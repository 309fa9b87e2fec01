/// What went wrong: a kind that a program can act on, and one line for a person that names what was wrong, what was
/// expected and where.
public struct EngineError: Error, Hashable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// An array of another shape than expected.
        case shape
        /// A number, option or text outside what is allowed.
        case value
        /// A variable, layer or site that does not exist.
        case name
        /// A graph with a cycle where none is allowed.
        case cycle
        /// A file that cannot be read or written, or is not what it should be.
        case file
        /// More memory than there is, or than a size can count.
        case memory
        /// A call out of order.
        case state
        /// Training met a loss that is not finite.
        case diverged
        /// Something that this operation needs was not given.
        case missing
    }

    public let kind: Kind
    public let message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }
}
