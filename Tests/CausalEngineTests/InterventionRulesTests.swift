import CausalEngine
import CausalKernels
import Testing

/// What do() means, one test for each rule.
@Suite struct InterventionRulesTests {
    let model: Model<Double>
    let x: Matrix<Double> = [[0.3, -1.2, 0.7], [1.5, 0.2, -0.4], [-0.6, 0.9, 1.1]]

    init() throws { model = try Model(.mlp(inputs: 3, hidden: [4, 4], outputs: 2, activation: .tanh), seed: 11) }

    private func gradients(_ x: Matrix<Double>, under intervention: Intervention<Double>?, model: Model<Double>? = nil)
        throws -> (y: Matrix<Double>, gradients: Model<Double>.Gradients) {
        let model = model ?? self.model
        let trace = try model.makeTrace()
        let y = try model.forward(x, under: intervention, trace: trace)
        return (y, try model.backward(Matrix(rows: y.rows, columns: y.columns, repeating: 1), trace: trace))
    }

    /// Rule 1. A value that was never observed reaches neither the output nor any gradient.
    @Test(arguments: [Double.nan, .infinity]) func whatIsMaskedReachesNothing(_ missing: Double) throws {
        let experiment = try Intervention<Double>().setting(site: 0, mask: [false, true, false], values: [.nan, 0.5, .nan])
        var hole = x
        hole[1, 1] = missing
        let complete = try gradients(x, under: experiment), holey = try gradients(hole, under: experiment)
        #expect(complete.y == holey.y)
        #expect(complete.gradients.parameters == holey.gradients.parameters)
        #expect(complete.gradients.inputs == holey.gradients.inputs)
        #expect(complete.gradients.values == holey.gradients.values)
        #expect(complete.y.elements.allSatisfy { $0.isFinite })
    }

    /// Rule 1 at a hidden layer: everything computed from the missing number is set, in the row that misses it.
    @Test(arguments: [1, 2, 3]) func whatIsReadOnlyThroughCutEdgesReachesNothing(_ site: Int) throws {
        let width = model.plan.siteWidths[site]
        let mask = (0..<3).map { row in [Bool](repeating: row == 1, count: width) }
        let experiment = try Intervention<Double>().setting(site: site, mask: mask, values: Matrix(rows: 1, columns: width, repeating: 0.25))
        var hole = x
        hole[1, 2] = .nan
        let complete = try gradients(x, under: experiment), holey = try gradients(hole, under: experiment)
        #expect(complete.y == holey.y)
        #expect(holey.gradients.inputs.elements.allSatisfy { $0.isFinite })
        for (a, b) in zip(complete.gradients.parameters, holey.gradients.parameters) { #expect(abs(a - b) < 1e-12) }
    }

    /// Rule 1 where the graph has no edge: an absent edge carries nothing, in either direction.
    @Test func absentEdgesCarryNothing() throws {
        let edges = try Edges(outputs: 2, inputs: 2, isThere: [true, false, false, true])
        var network = Network(inputs: 2)
        network.output = network.activation(.relu, from: network.linear("layer", from: network.input, width: 2, edges: edges))
        let model = try Model<Double>(network, seed: 0)
        try model.parameters!.set([1, .nan, .nan, 1, 0, 0])
        let found = try gradients([[2, .nan], [3, 4]], under: nil, model: model)
        #expect(found.y[0, 0] == 2 && found.y[0, 1].isNaN && found.y[1, 0] == 3 && found.y[1, 1] == 4)
        #expect(found.gradients.parameters[0] == 5)
        #expect(found.gradients.parameters[1] == 0 && found.gradients.parameters[2] == 0)
    }

    /// Rule 1, the other side: what is not cut propagates, as in PyTorch.
    @Test func whatIsNotMaskedPropagates() throws {
        var hole = x
        hole[1, 1] = .nan
        let y = try model.predict(hole)
        #expect(y[1, 0].isNaN && y[0, 0].isFinite && y[2, 0].isFinite)
    }

    /// Rule 2. The gradient to what was there is exactly zero; the gradient to the value is the incoming one, summed where shared.
    @Test func gradientGoesToTheValue() throws {
        let shared = try Intervention<Double>().setting(site: 0, mask: [false, true, false], values: [0, 0.5, 0])
        let perRow = try Intervention<Double>().setting(site: 0, mask: [[false, true, false]], values: Matrix(rows: 3, columns: 3, repeating: 0.5))
        var edited = x
        for row in 0..<3 { edited[row, 1] = 0.5 }
        let plain = try gradients(edited, under: nil).gradients.inputs
        let a = try gradients(x, under: shared).gradients, b = try gradients(x, under: perRow).gradients
        for row in 0..<3 {
            #expect(a.inputs[row, 1] == 0 && a.inputs[row, 1].sign == .plus)
            #expect(a.inputs[row, 0] == plain[row, 0])
            #expect(b.values[0]![row, 1] == plain[row, 1])
            #expect(b.values[0]![row, 0] == 0)
        }
        #expect(abs(a.values[0]![0, 1] - (0..<3).reduce(0) { $0 + plain[$1, 1] }) < 1e-15)
    }

    /// Rule 3. A parent of what is set keeps every gradient that reaches it along other paths.
    @Test func parentsKeepTheirOtherPaths() throws {
        // y = child + other, both computed from x; the child is set.
        var network = Network(inputs: 1)
        let child = network.site(from: network.linear("child", from: network.input, width: 1, hasBias: false))
        let other = network.linear("other", from: network.input, width: 1, hasBias: false)
        network.output = network.sum([child, other])
        let model = try Model<Double>(network, seed: 0)
        try model.parameters!.set([3, 7])
        let found = try gradients([[2]], under: Intervention<Double>().setting(site: 0, mask: [true], values: [10]), model: model)
        #expect(found.y[0, 0] == 24)
        #expect(found.gradients.inputs[0, 0] == 7)
        #expect(found.gradients.parameters == [0, 2])
        #expect(found.gradients.values[0]![0, 0] == 1)
    }

    /// Rule 4. One row's intervention never touches another row.
    @Test(arguments: [0, 1, 2, 3]) func rowsAreIndependent(_ site: Int) throws {
        let width = model.plan.siteWidths[site]
        let mask = (0..<3).map { row in [Bool](repeating: row == 1, count: width) }
        let experiment = try Intervention<Double>().setting(site: site, mask: mask, values: Matrix(rows: 3, columns: width, repeating: 2))
        let free = try gradients(x, under: nil), under = try gradients(x, under: experiment)
        for row in [0, 2] {
            for j in 0..<2 { #expect(free.y[row, j] == under.y[row, j]) }
            for j in 0..<3 { #expect(free.gradients.inputs[row, j] == under.gradients.inputs[row, j]) }
        }
        #expect(free.y[1, 0] != under.y[1, 0])
    }

    /// Nor does how many rows there are, from two on, move a bit of any.
    @Test(arguments: [2, 256, 257, 513, 514]) func rowsKeepTheirBits(_ rows: Int) throws {
        var random = TestRandom(8)
        let model = try Model<Double>(.mlp(inputs: 40, hidden: [50], outputs: 3), seed: 2), row = try random.matrix(1, 40).elements
        let y = try model.predict(Matrix(rows: rows, columns: 40, (0..<rows).flatMap { _ in row }))
        for r in 1..<rows { #expect((0..<3).allSatisfy { y[r, $0] == y[0, $0] }) }
    }

    /// Rule 5. The value wins: what follows sees v, whatever was there.
    @Test(arguments: [0, 1, 2, 3]) func theValueWins(_ site: Int) throws {
        let width = model.plan.siteWidths[site]
        let all = [Bool](repeating: true, count: width), values = (0..<width).map { Double($0) / 3 - 0.4 }
        let experiment = try Intervention<Double>().setting(site: site, mask: all, values: values)
        let y = try model.predict(x, under: experiment)
        #expect(y.elements[0..<2] == y.elements[2..<4])
        if site == 3 { #expect(Array(y.elements[0..<2]) == values) }
    }

    /// Rule 6. What does not exist is an error; a mask of zeros is legitimate.
    @Test func whatDoesNotExistIsAnError() throws {
        let nowhere = try Intervention<Double>().setting(site: 4, mask: [true], values: [1])
        #expect(throws: EngineError(.name, "intervention: site 4 does not exist, expected 0 to 3")) { try model.predict(x, under: nowhere) }
        let wide = try Intervention<Double>().setting(site: 0, mask: [true, false], values: [1, 2])
        #expect(throws: EngineError(.shape, "intervention at site 0: mask of shape (1, 2), expected 3 columns")) { try model.predict(x, under: wide) }
        let long = try Intervention<Double>().setting(site: 0, mask: [[false, true, false]], values: Matrix(rows: 2, columns: 3, repeating: 1))
        #expect(throws: EngineError(.shape, "intervention at site 0: values of shape (2, 3), expected 1 or 3 rows")) { try model.predict(x, under: long) }
        let nothing = try Intervention<Double>().setting(site: 0, mask: [false, false, false], values: [1, 2, 3])
        #expect(try model.predict(x, under: nothing) == model.predict(x))
    }

    /// Rule 7. Abduction, action, prediction: the same noise, another mechanism. A graph a -> b -> c, with a -> c, whose middle variable
    /// is computed by the network and set by do() for some rows, runs on the same plan as an MLP.
    @Test func counterfactualsOfAThreeVariableGraph() throws {
        let model = try Model<Double>(threeVariables(), seed: 5)
        var random = TestRandom(12)
        let noise = try random.matrix(6, 3)
        let factual = try model.predict(noise)

        // Abduction: with every variable set to what was seen, what its mechanism alone would say is known; the rest is its noise.
        func everything(_ rows: Matrix<Double>) throws -> Intervention<Double> {
            var result = Intervention<Double>()
            for site in 0..<3 {
                result = try result.setting(site: site, mask: [[true]], values: Matrix(rows: rows.rows, columns: 1, (0..<rows.rows).map { rows[$0, site] }))
            }
            return result
        }
        let still = try Matrix<Double>(rows: 6, columns: 3, repeating: 0)
        let mechanisms = try model.predict(still, under: everything(factual))
        var recovered = still
        for row in 0..<6 { for variable in 0..<3 { recovered[row, variable] = factual[row, variable] - mechanisms[row, 3 + variable] } }
        for (a, b) in zip(recovered.elements, noise.elements) { #expect(abs(a - b) < 1e-14) }

        // Action and prediction, for half of the rows.
        let rows = (0..<6).map { [$0 % 2 == 0] }
        let action = try Intervention<Double>().setting(site: 1, mask: rows, values: [[0.8]])
        let counterfactual = try model.predict(recovered, under: action)
        for row in 0..<6 {
            #expect(abs(counterfactual[row, 0] - factual[row, 0]) < 1e-14)
            if row % 2 == 0 { #expect(counterfactual[row, 1] == 0.8) }
            #expect((abs(counterfactual[row, 2] - factual[row, 2]) < 1e-14) == (row % 2 == 1))
        }
        // The value that was there anyway gives the factual row.
        let same = try Intervention<Double>().setting(site: 1, mask: [[true]], values: Matrix(rows: 6, columns: 1, (0..<6).map { factual[$0, 1] }))
        for (a, b) in zip(try model.predict(recovered, under: same).elements, factual.elements) { #expect(abs(a - b) < 1e-14) }

        try checkGradients(model, noise, values: [1: [[0.8]]], masks: [1: rows])
    }

    /// Each variable is its mechanism of its parents plus its noise (a column of the input) and a site. The output is the three
    /// variables, then what the three mechanisms say.
    private func threeVariables() -> Network {
        var network = Network(inputs: 3)
        func variable(_ name: String, _ parents: [Network.Node], _ index: Int) -> (value: Network.Node, mechanism: Network.Node) {
            let noise = network.columns(index..<index + 1, from: network.input)
            let mechanism: Network.Node
            if parents.isEmpty {
                let zero = network.linear("\(name).root", from: noise, width: 1, hasBias: false, edges: try! Edges(outputs: 1, inputs: 1, isThere: [false]))
                mechanism = zero
            } else {
                let h = network.activation(.tanh, from: network.linear("\(name).0", from: network.concatenate(parents), width: 8))
                mechanism = network.linear("\(name).1", from: h, width: 1)
            }
            return (network.site(from: network.sum([mechanism, noise])), mechanism)
        }
        let a = variable("a", [], 0), b = variable("b", [a.value], 1), c = variable("c", [a.value, b.value], 2)
        network.output = network.concatenate([a.value, b.value, c.value, a.mechanism, b.mechanism, c.mechanism])
        return network
    }
}
