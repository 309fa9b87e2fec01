extension Network {
    /// Checks everything that a plan relies on, so that a description from a file cannot make it read out of bounds.
    ///
    /// - Throws: `.value` for a width below 1, a node that uses one not before it, edges of another shape, or a parameter name
    ///   that is empty or taken; `.shape` where widths do not fit; `.memory` where it is too large to hold.
    package func validate() throws(EngineError) {
        guard nodes.count <= Network.mostNodes else {
            throw EngineError(.memory, "network: \(nodes.count) nodes, expected at most \(Network.mostNodes)")
        }
        let sourceCount = nodes.indices.reduce(0) { $0 + sources(of: $1).count }
        guard sourceCount <= Network.mostSources else {
            throw EngineError(.memory, "network: its nodes have \(sourceCount) sources, expected at most \(Network.mostSources)")
        }
        guard nodes.indices.contains(output) else { throw EngineError(.value, "network: output node \(output) does not exist") }
        var names = Set<String>()
        for (i, node) in nodes.enumerated() {
            guard node.width >= 1 else { throw EngineError(.value, "\(label(i)): width is \(node.width), expected at least 1") }
            guard node.width <= Network.limit else {
                throw EngineError(.memory, "\(label(i)): width \(node.width) is too large to hold, expected at most \(Network.limit)")
            }
            for source in sources(of: i) where source < 0 || source >= i {
                throw EngineError(.value, "\(label(i)): it uses node \(source), expected one before it")
            }
            try validateWidths(i)
            for name in parameterNames(i) where !names.insert(name).inserted {
                throw EngineError(.value, "\(label(i)): another node has parameters named \(name)")
            }
        }
    }

    /// The nodes that node `i` is computed from.
    package func sources(of i: Node) -> [Node] {
        switch nodes[i].operation {
        case .input: []
        case .linear(let from, _, _), .bias(let from), .activation(_, let from), .site(let from), .cut(let from), .columns(let from, _): [from]
        case .again(let site, let from): [site, from]
        case .concatenate(let parts), .sum(let parts): parts
        }
    }

    private func parameterNames(_ i: Node) -> [String] {
        let name = nodes[i].name
        return switch nodes[i].operation {
        case .linear(_, true, _): ["\(name).weight", "\(name).bias"]
        case .linear(_, false, _): ["\(name).weight"]
        case .bias: ["\(name).bias"]
        default: []
        }
    }

    private func validateWidths(_ i: Node) throws(EngineError) {
        let node = nodes[i]
        func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws(EngineError) {
            guard condition else { throw EngineError(.shape, "\(label(i)): \(message())") }
        }
        switch node.operation {
        case .input: try expect(i == 0, "only node 0 is the input")
        case .linear(let from, _, let edges):
            _ = try checkedSize(node.width, nodes[from].width, of: "\(label(i)): weight")
            if let edges {
                try expect(edges.outputs == node.width && edges.inputs == nodes[from].width,
                           "edges of shape (\(edges.outputs), \(edges.inputs)), expected (\(node.width), \(nodes[from].width))")
            }
        case .bias(let from), .activation(_, let from), .site(let from), .cut(let from):
            try expect(node.width == nodes[from].width, "width \(node.width), expected \(nodes[from].width)")
        case .again(let site, let from):
            guard case .site = nodes[site].operation else { throw EngineError(.value, "\(label(i)): node \(site) is no site that could act again") }
            try expect(node.width == nodes[from].width && node.width == nodes[site].width,
                       "width \(node.width), expected \(nodes[from].width), and as many at its site as the \(nodes[site].width) there")
        case .concatenate(let parts):
            try expect(node.width == parts.reduce(0) { $0 + nodes[$1].width }, "width \(node.width) is not that of its parts together")
        case .sum(let parts):
            try expect(!parts.isEmpty && parts.allSatisfy { nodes[$0].width == node.width }, "the terms of a sum must be of equal width")
        case .columns(let from, let first):
            try expect(first >= 0 && first <= nodes[from].width - node.width,
                       "\(node.width) columns from \(first) on, but there are \(nodes[from].width)")
        }
    }

    private func label(_ i: Node) -> String { nodes[i].name.isEmpty ? "network: node \(i)" : "network: node \(i) (\(nodes[i].name))" }
}
