@testable import CausalEngine
import CausalKernels
import Testing

/// A pass whose way back takes the memory of the values, against one that keeps them.
@Suite struct SharedMemoryTests {
    private func networks() throws -> [Network] {
        let graph = try Graph(count: 4, edges: [(0, 1), (1, 2), (0, 3), (2, 3)].map { Graph.Edge(from: $0, to: $1) })
        var each = try [Activation.relu, .gelu, .identity].flatMap { activation in
            try [.mlp(inputs: 4, hidden: [6, 3, 7, 7, 2], outputs: 5, activation: activation),
                 .mlp(inputs: 4, hidden: [9], outputs: 4, activation: activation, graph: graph),
                 .unit(inputs: 4, hidden: 3, outputs: 2, activation: activation)] as [Network]
        }
        each += try [.mlp(inputs: 4, hidden: [], outputs: 1), .rewiring(inputs: 4, outputs: 4), .rewiring(inputs: 4, outputs: 4, graph: graph),
                     Network(inputs: 4)]

        // Every operation, with nodes that several others read, and a bias on the input itself.
        var network = Network(inputs: 4)
        let x = network.site(from: network.input)
        let moved = network.bias("a", from: network.columns(0..<3, from: x))
        let h = network.activation(.gelu, from: network.linear("b", from: moved, width: 4))
        let other = network.activation(.softplus, from: network.linear("c", from: x, width: 4, hasBias: false))
        let sum = network.site(from: network.sum([h, network.bias("d", from: h), other]))
        let sparse = network.cut(from: network.linear("e", from: sum, width: 3, edges: try Edges(outputs: 3, inputs: 4, isThere: (0..<12).map { $0 % 3 != 0 })))
        let rectified = network.activation(.relu, from: sparse)
        network.output = network.concatenate([network.activation(.tanh, from: rectified), sum, rectified, x])
        each.append(network)
        var biased = Network(inputs: 4)
        biased.output = biased.linear("b", from: biased.bias("a", from: biased.input), width: 3)
        each.append(biased)
        return each
    }

    @Test(arguments: [1, 5]) func changesNoBit(_ rows: Int) throws {
        var random = TestRandom(7)
        for network in try networks() {
            let model = try Model<Double>(network, seed: 3), plan = model.plan, parameters = model.parameters!
            let x = try random.matrix(rows, 4), dy = try random.matrix(rows, network.outputWidth)
            for isSet in [false, true] {
                var edits = Intervention<Double>()
                for (site, width) in plan.siteWidths.enumerated() where isSet {
                    edits = try edits.setting(site: site, mask: random.mask(rows, width), values: random.matrix(rows, width))
                }
                let (kept, usedUp) = (try Trace<Double>(plan, of: nil), try Trace<Double>(plan, of: nil, isUsedUp: true))
                let gradients = try [kept, usedUp, usedUp].map { trace in
                    var gradient = [Double](repeating: .nan, count: parameters.count)
                    try trace.begin(rows: rows, parameters: parameters, intervention: edits)
                    trace.setEdits(edits, from: 0)
                    try x.withView { x throws(EngineError) in plan.forward(x.pointer, parameters: parameters.pointer, trace, into: nil) }
                    try dy.withView { dy throws(EngineError) in
                        try gradient.withUnsafeMutableBufferPointer { gradient throws(EngineError) in
                            try plan.backward(dy.pointer, parameters: parameters.pointer, trace,
                                              into: GradientTargets(parameters: gradient.baseAddress ?? emptyAddress()))
                        }
                    }
                    return gradient
                }
                #expect(gradients[1] == gradients[0] && gradients[2] == gradients[0] && gradients[0].allSatisfy(\.isFinite))
            }
        }
    }

    /// However deep an MLP is, all its gradients together take as much as one layer.
    @Test func anMLPTakesOneLayerMore() throws {
        for depth in [2, 8, 64] {
            let plan = try Model<Double>(.mlp(inputs: 500, hidden: [Int](repeating: 10, count: depth), outputs: 3), seed: 0).plan
            #expect(SharedMemory(plan).unitsPerRow == 500 + 10 * depth + 3 + 10)
        }
    }
}
