extension Graph {
    /// What an edge looks like at one end.
    public enum Mark: Hashable, Comparable, Sendable {
        /// The variable is a cause here.
        case tail
        /// The variable is an effect here.
        case arrow
        /// Not known.
        case circle
    }

    public struct Edge: Hashable, Sendable {
        public let first: Int
        public let second: Int
        public let firstMark: Mark
        public let secondMark: Mark

        public init(_ first: Int, _ firstMark: Mark, _ second: Int, _ secondMark: Mark) {
            self.first = first
            self.second = second
            self.firstMark = firstMark
            self.secondMark = secondMark
        }

        /// cause -> effect.
        public init(from cause: Int, to effect: Int) { self.init(cause, .tail, effect, .arrow) }

        /// Which end is the cause of which; nil where the marks do not say so.
        var direction: (cause: Int, effect: Int)? {
            switch (firstMark, secondMark) {
            case (.tail, .arrow): (first, second)
            case (.arrow, .tail): (second, first)
            default: nil
            }
        }

        /// Whether both ends are effects, of a cause that nobody sees.
        var isConfounding: Bool { firstMark == .arrow && secondMark == .arrow }

        /// The same edge, as it is told from the variable of the smaller number.
        var fromSmallerEnd: Edge {
            (first, firstMark) <= (second, secondMark) ? self : Edge(second, secondMark, first, firstMark)
        }
    }
}

extension Graph.Edge: Comparable {
    public static func < (a: Self, b: Self) -> Bool {
        (a.first, a.second, a.firstMark, a.secondMark) < (b.first, b.second, b.firstMark, b.secondMark)
    }
}
