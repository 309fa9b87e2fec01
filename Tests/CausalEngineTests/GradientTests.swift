import CausalEngine
import CausalKernels
import Testing

/// Every layer, activation and kind of intervention against central differences in Double.
@Suite struct GradientTests {
    @Test(arguments: Activation.allCases)
    func mlp(_ activation: Activation) throws {
        var random = TestRandom(1)
        let model = try Model<Double>(.mlp(inputs: 3, hidden: [5, 4], outputs: 2, activation: activation), seed: 7)
        try checkGradients(model, random.matrix(6, 3))
    }

    @Test(arguments: Activation.allCases, [true, false])
    func mlpUnderInterventions(_ activation: Activation, _ isPerRow: Bool) throws {
        var random = TestRandom(2)
        let model = try Model<Double>(.mlp(inputs: 3, hidden: [5, 4], outputs: 2, activation: activation), seed: 8)
        let rows = isPerRow ? 6 : 1, widths = [3, 5, 4, 2]
        var values: [Int: Matrix<Double>] = [:], masks: [Int: [[Bool]]] = [:]
        for site in 0..<4 {
            values[site] = try random.matrix(rows, widths[site])
            masks[site] = random.mask(rows, widths[site])
        }
        try checkGradients(model, random.matrix(6, 3), values: values, masks: masks)
    }

    @Test func mixedSharedAndPerRow() throws {
        var random = TestRandom(3)
        let model = try Model<Double>(.mlp(inputs: 3, hidden: [5], outputs: 1), seed: 9)
        try checkGradients(model, random.matrix(4, 3), values: [1: random.matrix(1, 5), 0: random.matrix(4, 3)],
                           masks: [1: random.mask(4, 5), 0: random.mask(1, 3)])
    }

    @Test func unit() throws {
        var random = TestRandom(4)
        try checkGradients(Model(.unit(inputs: 4, outputs: 3), seed: 1), random.matrix(5, 4), values: [0: random.matrix(5, 4)], masks: [0: random.mask(5, 4)])
        try checkGradients(Model(.unit(inputs: 4, hidden: 6, outputs: 3, activation: .tanh), seed: 1), random.matrix(5, 4),
                           values: [0: random.matrix(1, 4)], masks: [0: random.mask(1, 4)])
    }

    /// Every operation of a network, with nodes that several others read.
    @Test func everyOperation() throws {
        var network = Network(inputs: 5)
        let x = network.site(from: network.input)
        let left = network.columns(0..<3, from: x), right = network.columns(2..<5, from: x)
        let h = network.activation(.gelu, from: network.linear("a", from: left, width: 4))
        let shifted = network.bias("b", from: h)
        let other = network.activation(.softplus, from: network.linear("c", from: right, width: 4, hasBias: false))
        let sum = network.site(from: network.sum([h, shifted, other]))
        let edges = try Edges(outputs: 3, inputs: 4, isThere: (0..<12).map { $0 % 3 != 0 })
        let sparse = network.cut(from: network.linear("d", from: sum, width: 3, edges: edges))
        let rectified = network.activation(.relu, from: sparse), squashed = network.activation(.tanh, from: rectified)
        network.output = network.concatenate([squashed, sum, rectified, network.activation(.identity, from: x)])
        let model = try Model<Double>(network, seed: 3)
        var random = TestRandom(5)
        try checkGradients(model, random.matrix(4, 5))
        try checkGradients(model, random.matrix(4, 5), values: [0: random.matrix(1, 5), 1: random.matrix(4, 4), 2: random.matrix(4, 3)],
                           masks: [0: random.mask(4, 5), 1: random.mask(4, 4), 2: random.mask(4, 3)])
    }

    /// Large enough that the products run on BLAS, in chunks.
    @Test func largeProducts() throws {
        var random = TestRandom(6)
        let model = try Model<Double>(.mlp(inputs: 70, hidden: [130], outputs: 90), seed: 4)
        let x = try random.matrix(300, 70), weights = try random.matrix(300, 90)
        let trace = try model.makeTrace()
        _ = try model.forward(x, trace: trace)
        let gradients = try model.backward(weights, trace: trace)
        let parameters = model.parameters!, start = parameters.values
        for _ in 0..<40 {
            let i = random.index(below: start.count)
            let numeric = try centralDifference(at: start[i]) {
                var changed = start
                changed[i] = $0
                try parameters.set(changed)
                return try model.predict(x).dot(weights)
            }
            #expect(relativeError(gradients.parameters[i], numeric) <= 1e-6)
            try parameters.set(start)
            let j = random.index(below: x.elements.count)
            let change = try centralDifference(at: x.elements[j]) { try model.predict(x.setting(j, to: $0)).dot(weights) }
            #expect(relativeError(gradients.inputs.elements[j], change) <= 1e-6)
        }
    }

    @Test func accumulates() throws {
        let model = try Model<Double>(.mlp(inputs: 2, hidden: [3], outputs: 1), seed: 4)
        let trace = try model.makeTrace()
        _ = try model.forward([[1, 2]], trace: trace)
        let once = try model.backward([[1]], trace: trace).parameters
        var twice = once
        try twice.withUnsafeMutableBufferPointer { buffer in
            try Matrix<Double>([[1]]).withView { dy throws(EngineError) in
                try model.backward(dy, parameters: nil, trace, into: GradientTargets(parameters: buffer.baseAddress, accumulates: true))
            }
        }
        #expect(twice == once.map { 2 * $0 })
    }
}
