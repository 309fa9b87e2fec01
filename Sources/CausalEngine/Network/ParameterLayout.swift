/// Which tensors a flat parameter buffer holds, one after the other, in the order of the nodes.
public struct ParameterLayout: Hashable, Sendable {
    public struct Tensor: Hashable, Sendable {
        public let name: String
        /// Where it starts in the buffer.
        public let offset: Int
        /// (outputs, inputs) of a weight, (outputs) of a bias.
        public let shape: [Int]
        /// The number of inputs of its layer, which decides how it is initialised.
        public let fanIn: Int
        /// Which elements of a weight exist; nil where all do.
        public let edges: Edges?

        public var count: Int { shape.reduce(1, *) }
        public var isWeight: Bool { shape.count == 2 }
    }

    public let tensors: [Tensor]
    /// Elements of the whole buffer.
    public let count: Int

    /// - Throws: `.memory` where all tensors together are too large to hold.
    init(_ network: Network) throws(EngineError) {
        var tensors: [Tensor] = []
        var offset = 0
        func append(_ name: String, _ shape: [Int], fanIn: Int, edges: Edges? = nil) throws(EngineError) {
            let tensor = Tensor(name: name, offset: offset, shape: shape, fanIn: fanIn, edges: edges)
            tensors.append(tensor)
            let (end, overflow) = offset.addingReportingOverflow(tensor.count)
            guard !overflow, end <= Int.max / 64 else { throw EngineError(.memory, "\(name): the parameters are too many to hold") }
            offset = end
        }
        for node in network.nodes {
            switch node.operation {
            case .linear(let from, let hasBias, let edges):
                let inputs = network.nodes[from].width
                try append("\(node.name).weight", [node.width, inputs], fanIn: inputs, edges: edges)
                if hasBias { try append("\(node.name).bias", [node.width], fanIn: inputs) }
            case .bias(let from):
                // The bias of the product that it is added to.
                try append("\(node.name).bias", [node.width], fanIn: network.fanIn(of: from))
            default: break
            }
        }
        self.tensors = tensors
        self.count = offset
    }
}

extension Network {
    /// The number of inputs of the nearest linear node at or before `node`, 1 where there is none.
    fileprivate func fanIn(of node: Node) -> Int {
        var node = node
        while true {
            switch nodes[node].operation {
            case .linear(let from, _, _): return nodes[from].width
            case .site(let from), .cut(let from), .again(_, let from), .activation(_, let from): node = from
            default: return 1
            }
        }
    }
}
