public import CausalKernels

extension Network {
    /// Linear layers with an activation after every layer but the last. do() may act at the input of every layer and at the
    /// output: site k is the input of layer k, and the last site is the output. The parameters of layer k are
    /// `layers.k.layers.0.weight` and `.bias`.
    ///
    /// - Throws: `.value` for a width below 1, `.memory` where it is too large to hold.
    public static func mlp(inputs: Int, hidden: [Int], outputs: Int, activation: Activation = .relu) throws(EngineError) -> Network {
        try expectWidths(inputs, hidden, outputs)
        return layers(inputs, hidden + [outputs], activation, edges: nil, setsOutputsAgain: false)
    }

    /// The layers of an MLP: of all edges or of those given for each, and with outputs that are the inputs' variables or are not.
    static func layers(_ inputs: Int, _ widths: [Int], _ activation: Activation, edges: [Edges]?, setsOutputsAgain: Bool) -> Network {
        var network = Network(inputs: inputs)
        var h = network.input, features = h
        for (k, width) in widths.enumerated() {
            h = network.site(from: h)
            if k == 0 { features = h }
            h = network.linear("layers.\(k).layers.0", from: h, width: width, edges: edges?[k])
            if k + 1 < widths.count, activation != .identity { h = network.activation(activation, from: h) }
        }
        if setsOutputsAgain { h = network.again(features, from: h) }
        _ = network.site(from: h)
        return network
    }

    /// One linear layer, or linear, activation, linear where a hidden width is given. do() may act at the input: site 0.
    /// The parameters are `layers.0.weight` and `.bias`, and `layers.2` for the second linear layer.
    public static func unit(inputs: Int, hidden: Int? = nil, outputs: Int, activation: Activation = .relu) throws(EngineError) -> Network {
        try expectWidth(inputs, "number of inputs")
        if let hidden { try expectWidth(hidden, "width of the hidden layer") }
        try expectWidth(outputs, "number of outputs")
        var network = Network(inputs: inputs)
        let x = network.site(from: network.input)
        if let hidden {
            let h = network.linear("layers.0", from: x, width: hidden)
            _ = network.linear("layers.2", from: activation == .identity ? h : network.activation(activation, from: h), width: outputs)
        } else {
            _ = network.linear("layers.0", from: x, width: outputs)
        }
        return network
    }

    /// A linear layer whose weight obeys a graph: output j depends on the parents of j only, since the weight (output, input) is
    /// multiplied by the transposed adjacency. At site 0 do() cuts: the outputs it sets lose all their incoming weights, for
    /// the rows it sets, and what remains of them is the bias. Without a graph every output depends on every input.
    public static func rewiring(inputs: Int, outputs: Int, graph: Graph? = nil) throws(EngineError) -> Network {
        try expectWidth(inputs, "number of inputs")
        try expectWidth(outputs, "number of outputs")
        var edges: Edges?
        if let graph {
            guard inputs == graph.count, outputs == graph.count else {
                throw EngineError(.shape, "rewiring layer: \(inputs) inputs and \(outputs) outputs, but the graph has \(graph.count) variables")
            }
            var isThere = [Bool](repeating: false, count: inputs * outputs)
            for child in 0..<graph.count {
                for parent in try graph.parents(of: child) { isThere[child * inputs + parent] = true }
            }
            edges = try Edges(outputs: outputs, inputs: inputs, isThere: isThere)
        }
        var network = Network(inputs: inputs)
        let sums = network.linear("linear", from: network.input, width: outputs, hasBias: false, edges: edges)
        _ = network.bias("linear", from: network.cut(from: sums))
        return network
    }

    static func expectWidths(_ inputs: Int, _ hidden: [Int], _ outputs: Int) throws(EngineError) {
        try expectWidth(inputs, "number of inputs")
        for (k, width) in hidden.enumerated() { try expectWidth(width, "width of hidden layer \(k)") }
        try expectWidth(outputs, "number of outputs")
    }

    private static func expectWidth(_ width: Int, _ what: String) throws(EngineError) {
        guard width >= 1 else { throw EngineError(.value, "\(what) is \(width), expected at least 1") }
        guard width <= limit else { throw EngineError(.memory, "\(what) is \(width), too large to hold; expected at most \(limit)") }
    }
}
