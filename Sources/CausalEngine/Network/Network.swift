public import CausalKernels

/// What a network computes, as data: nodes in order, each from nodes before it, from one input matrix to one output matrix.
/// It says nothing about numbers: those are in `Parameters`. A plan is compiled from it, and a checkpoint holds it as text.
///
/// ```swift
/// var network = Network(inputs: 3)
/// let h = network.linear("hidden", from: network.site(from: network.input), width: 16)
/// network.output = network.linear("out", from: network.activation(.relu, from: h), width: 1)
/// ```
public struct Network: Hashable, Sendable {
    /// A node's number in `nodes`.
    public typealias Node = Int

    public enum Operation: Hashable, Sendable {
        /// The matrix that the network is given.
        case input
        /// `x Wᵀ + b`, with a weight of shape (width, width of x). Only the edges are there, where edges are given.
        case linear(from: Node, hasBias: Bool, edges: Edges?)
        /// `x + b`.
        case bias(from: Node)
        case activation(Activation, from: Node)
        /// Where do() may replace the value: `select(mask, v, x)`.
        case site(from: Node)
        /// Where do() cuts the edges into a unit instead of choosing its value: `select(mask, 0, x)`.
        case cut(from: Node)
        /// Where do() at an earlier site acts once more: `select(mask, v, x)` with that site's mask and values. So a variable that is read
        /// and computed is set in both places.
        case again(site: Node, from: Node)
        /// Side by side.
        case concatenate([Node])
        /// Elementwise.
        case sum([Node])
        /// The node's width in columns, from `first` on.
        case columns(from: Node, first: Int)
    }

    public struct Description: Hashable, Sendable {
        /// Of its parameters: `name.weight`, `name.bias`. Empty where it has none.
        public let name: String
        public let width: Int
        public let operation: Operation
    }

    public private(set) var nodes: [Description]
    /// The node that is the answer; the last one added unless it is set.
    public var output: Node

    /// The largest width.
    static let limit = 1 << 24
    /// The most nodes, and the most sources of all of them together. As text that is within what a checkpoint may hold, so that every
    /// network that there is can be saved and loaded.
    static let mostNodes = 1 << 16
    static let mostSources = 1 << 18

    /// A network of nothing but its input.
    public init(inputs: Int) {
        nodes = [Description(name: "", width: inputs, operation: .input)]
        output = 0
    }

    public var input: Node { 0 }
    public var inputWidth: Int { nodes[0].width }
    public var outputWidth: Int { nodes[output].width }

    /// The nodes where do() may act, in order: site k is `sites[k]`.
    public var sites: [Node] {
        nodes.indices.filter {
            switch nodes[$0].operation {
            case .site, .cut: true
            default: false
            }
        }
    }

    @discardableResult
    public mutating func add(_ name: String = "", width: Int, _ operation: Operation) -> Node {
        nodes.append(Description(name: name, width: width, operation: operation))
        output = nodes.count - 1
        return output
    }

    public mutating func linear(_ name: String, from node: Node, width: Int, hasBias: Bool = true, edges: Edges? = nil) -> Node {
        add(name, width: width, .linear(from: node, hasBias: hasBias, edges: edges))
    }
    public mutating func bias(_ name: String, from node: Node) -> Node { add(name, width: nodes[node].width, .bias(from: node)) }
    public mutating func activation(_ activation: Activation, from node: Node) -> Node {
        add(width: nodes[node].width, .activation(activation, from: node))
    }
    public mutating func site(from node: Node) -> Node { add(width: nodes[node].width, .site(from: node)) }
    public mutating func cut(from node: Node) -> Node { add(width: nodes[node].width, .cut(from: node)) }
    public mutating func again(_ site: Node, from node: Node) -> Node { add(width: nodes[node].width, .again(site: site, from: node)) }
    public mutating func concatenate(_ parts: [Node]) -> Node {
        add(width: parts.reduce(0) { $0 + nodes[$1].width }, .concatenate(parts))
    }
    public mutating func sum(_ parts: [Node]) -> Node { add(width: parts.first.map { nodes[$0].width } ?? 0, .sum(parts)) }
    public mutating func columns(_ range: Range<Int>, from node: Node) -> Node {
        add(width: range.count, .columns(from: node, first: range.lowerBound))
    }
}

/// Which weights of a linear node exist: `isThere[output * inputs + input]`. The others count as zero and learn nothing, and zero is
/// what they are drawn as.
public struct Edges: Hashable, Sendable {
    public let outputs: Int
    public let inputs: Int
    package let isThere: [UInt8]

    /// - Throws: `.shape` when `isThere` are not outputs times inputs in number.
    public init(outputs: Int, inputs: Int, isThere: [Bool]) throws(EngineError) {
        let count = try checkedSize(outputs, inputs, of: "edges")
        guard isThere.count == count else {
            throw EngineError(.shape, "edges: \(isThere.count) given, expected \(outputs) x \(inputs)")
        }
        self.outputs = outputs
        self.inputs = inputs
        self.isThere = isThere.map { $0 ? 1 : 0 }
    }

    /// The edges that `isThere(output, input)` finds.
    init(outputs: Int, inputs: Int, isThere: (Int, Int) -> Bool) {
        self.outputs = outputs
        self.inputs = inputs
        var all: [UInt8] = []
        all.reserveCapacity(outputs * inputs)
        for output in 0..<outputs {
            for input in 0..<inputs { all.append(isThere(output, input) ? 1 : 0) }
        }
        self.isThere = all
    }
}
