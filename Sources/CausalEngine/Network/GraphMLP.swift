public import CausalKernels

extension Network {
    /// An MLP that obeys a graph: an output depends on its parents, and on nothing else. Its derivative with respect to an input is zero
    /// exactly where the graph has no edge from that input's variable to the output's.
    ///
    /// The columns of x are the variables `features`. Where these are all variables the outputs are the same ones, in the same order: output j
    /// is what the parents of j say of it, never j itself. do() on an input then sets that output too, which cuts the edges into it. Otherwise
    /// the outputs are the variables that are left, in the order of the graph, and their parents must be among the inputs.
    ///
    /// Each of the g outputs with parents has hidden units of its own, so that what is learned of one leaves the others as they are: in a
    /// layer of w units the k-th of them has the units `k * w / g ..< (k + 1) * w / g`. An output without parents is its bias. Hidden common
    /// causes are no edges.
    ///
    /// - Parameter features: variables by number; nil for 0 ..< inputs.
    /// - Throws: as the MLP without a graph; `.cycle`; `.shape` where inputs and outputs are not the graph's variables in one of these two
    ///   ways; `.name` for a feature that is no variable; `.value` for one that is there twice, an edge without a direction, an output whose
    ///   parent is no input, or a hidden layer of fewer than g units.
    public static func mlp(inputs: Int, hidden: [Int], outputs: Int, activation: Activation = .relu, graph: Graph, features: [Int]? = nil)
        throws(EngineError) -> Network {
        try expectWidths(inputs, hidden, outputs)
        let families = try Families(graph, features: features, inputs: inputs, outputs: outputs)
        let readers = families.parents.indices.filter { !families.parents[$0].isEmpty }
        for (k, width) in hidden.enumerated() where width < readers.count {
            throw EngineError(.value, "hidden layer \(k) has \(width) units, expected at least \(readers.count): one for each output with parents")
        }
        let widths = hidden + [outputs]
        var edges: [Edges] = [], before = [Int](repeating: -1, count: inputs), count = 0
        for (k, width) in widths.enumerated() {
            count += try checkedSize(width, before.count, of: "weights of layer \(k)")
            guard count <= mostEdges else { throw EngineError(.memory, "\(count) weights are too many to hold for a graph, expected at most \(mostEdges)") }
            // Whom each unit computes.
            let units = k == hidden.count ? Array(0..<outputs) : owners(readers, width)
            edges.append(Edges(outputs: width, inputs: before.count) { unit, source in
                guard units[unit] >= 0 else { return false }
                return k == 0 ? families.parents[units[unit]].contains(source) : before[source] == units[unit]
            })
            before = units
        }
        return layers(inputs, widths, activation, edges: edges, setsOutputsAgain: families.areAllBoth)
    }

    /// The most weights of an MLP that obeys a graph, each of which is there or not.
    private static let mostEdges = 1 << 28

    /// The output that each unit of a hidden layer belongs to, -1 where no output has parents.
    private static func owners(_ outputs: [Int], _ width: Int) -> [Int] {
        var units = [Int](repeating: -1, count: width)
        for (k, output) in outputs.enumerated() {
            for unit in k * width / outputs.count..<(k + 1) * width / outputs.count { units[unit] = output }
        }
        return units
    }
}

/// Which variables are read and which computed, and from which.
private struct Families {
    /// For each output the columns of x that are its parents.
    let parents: [Set<Int>]
    /// Whether every variable is an input and an output.
    let areAllBoth: Bool

    init(_ graph: Graph, features: [Int]?, inputs: Int, outputs: Int) throws(EngineError) {
        try graph.expectKnownEdges()
        if let edge = graph.otherEdges.first {
            throw EngineError(.value, "graph: the edge between \(graph.names[edge.first]) and \(graph.names[edge.second]) has no direction, expected a cause and an effect")
        }
        areAllBoth = inputs == graph.count && outputs == graph.count
        guard areAllBoth || inputs + outputs == graph.count else {
            throw EngineError(.shape, """
                \(inputs) inputs and \(outputs) outputs, but the graph has \(graph.count) variables: \
                expected \(graph.count) of both, or \(graph.count) together
                """)
        }
        var column: [Int: Int] = [:]
        for (i, variable) in try Families.checked(features, inputs).enumerated() {
            guard column.updateValue(i, forKey: try Graph.check(variable, graph.count)) == nil else {
                throw EngineError(.value, "features: \(graph.names[variable]) is there twice, expected different variables")
            }
        }
        let computed = areAllBoth ? column.sorted { $0.value < $1.value }.map(\.key) : (0..<graph.count).filter { column[$0] == nil }
        var parents: [Set<Int>] = []
        for variable in computed {
            var columns = Set<Int>()
            for parent in try graph.parents(of: variable) {
                guard let input = column[parent] else {
                    throw EngineError(.value, """
                        the output \(graph.names[variable]) has the parent \(graph.names[parent]), which is no input: \
                        expected all parents of outputs among the inputs, or hidden
                        """)
                }
                columns.insert(input)
            }
            parents.append(columns)
        }
        self.parents = parents
    }

    private static func checked(_ features: [Int]?, _ inputs: Int) throws(EngineError) -> [Int] {
        guard let features else { return Array(0..<inputs) }
        guard features.count == inputs else { throw EngineError(.shape, "features: \(features.count) variables, expected \(inputs), one for each input") }
        return features
    }
}
