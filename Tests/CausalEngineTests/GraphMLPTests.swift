@testable import CausalEngine
import CausalKernels
import Testing

/// The MLP that obeys a graph, and what do() means in it.
@Suite struct GraphMLPTests {
    /// a -> b -> c, a -> c, and d, which neither causes nor is caused.
    private let graph = try! Graph(adjacency: [0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], count: 4)
    private let model: Model<Double>
    private let x: Matrix<Double> = [[0.3, -1.2, 0.7, 0.1], [1.5, 0.2, -0.4, 2], [-0.6, 0.9, 1.1, -1]]
    private let setsB = [[false, true, false, false], [false, false, false, false], [false, true, false, false]]

    init() throws { model = try Model(.mlp(inputs: 4, hidden: [5, 6], outputs: 4, activation: .tanh, graph: graph), seed: 3) }

    private func gradients(_ x: Matrix<Double>, under intervention: Intervention<Double>? = nil, dy: Matrix<Double>? = nil)
        throws -> (y: Matrix<Double>, gradients: Model<Double>.Gradients) {
        let trace = try model.makeTrace()
        let y = try model.forward(x, under: intervention, trace: trace)
        return (y, try model.backward(dy ?? Matrix(rows: y.rows, columns: y.columns, repeating: 1), trace: trace))
    }

    private func settingB(to value: Double) throws -> Intervention<Double> {
        try Intervention<Double>().setting(site: 0, mask: setsB, values: [[.nan, value, .nan, .nan]])
    }

    /// The gradient of output j alone with respect to x, one row.
    private func derivatives(_ model: Model<Double>, _ x: Matrix<Double>, of output: Int) throws -> [Double] {
        let trace = try model.makeTrace()
        _ = try model.forward(x, trace: trace)
        let dy = try Matrix<Double>(rows: 1, columns: model.network.outputWidth, repeating: 0).setting(output, to: 1)
        return try model.backward(dy, trace: trace).inputs.elements
    }

    /// The Jacobian is zero where there is no edge and not zero where there is one, in random graphs whose order says nothing.
    @Test func theJacobianIsTheGraph() throws {
        var random = TestRandom(8)
        for round in 0..<60 {
            let count = 1 + random.index(below: 8)
            var order = Array(0..<count)
            for i in order.indices { order.swapAt(i, random.index(below: count)) }
            var adjacency = [UInt8](repeating: 0, count: count * count)
            for i in 0..<count { for j in i + 1..<max(count, i + 1) where random.isTrue() { adjacency[order[i] * count + order[j]] = 1 } }
            let features = (0..<count).map { order[count - 1 - $0] }, hidden = [[], [count], [count + 3, count]][round % 3]
            let network = try Network.mlp(inputs: count, hidden: hidden, outputs: count, activation: .sigmoid, graph: Graph(adjacency: adjacency, count: count), features: features)
            let model = try Model<Double>(network, seed: UInt64(round)), x = try random.matrix(1, count)
            for j in 0..<count {
                for (i, derivative) in try derivatives(model, x, of: j).enumerated() {
                    #expect((derivative != 0) == (adjacency[features[i] * count + features[j]] != 0))
                }
            }
        }
    }

    /// Of a graph with more variables than inputs the outputs are the others, and read their parents.
    @Test func theOutputsAreTheVariablesThatAreNoInputs() throws {
        let graph = try Graph(variables: ["age", "effect", "dose", "outcome"], edges: [("age", "dose"), ("dose", "outcome"), ("age", "outcome"), ("outcome", "effect")])
        let model = try Model<Double>(.mlp(inputs: 3, hidden: [4], outputs: 1, graph: graph, features: [2, 0, 1]), seed: 1)
        #expect(try derivatives(model, [[0.5, 1, -2]], of: 0).map { $0 != 0 } == [true, true, false])
        let first = try Model<Double>(.mlp(inputs: 3, hidden: [4], outputs: 1, graph: graph), seed: 1)
        #expect(try derivatives(first, [[0.5, 1, -2]], of: 0).map { $0 != 0 } == [true, false, true])
        #expect(first.plan.siteWidths == [3, 4, 1])
    }

    /// Consistency: what is set is v, read and computed.
    @Test func theValueIsReadAndAnswered() throws {
        let free = try model.predict(x), y = try model.predict(x, under: settingB(to: 0.25))
        var edited = x
        edited[0, 1] = 0.25
        edited[2, 1] = 0.25
        let read = try model.predict(edited)
        for row in 0..<3 {
            #expect(y[row, 1] == (row == 1 ? free[1, 1] : 0.25))
            for j in [0, 2, 3] { #expect(y[row, j] == read[row, j]) }
        }
        #expect(y[0, 2] != free[0, 2])
        #expect(y[0, 0] == model.parameters!.values.suffix(4).first)
    }

    /// The edges into what is set are cut, and nothing else is: its parent keeps what reaches it through others.
    @Test func parentsKeepTheirOtherPaths() throws {
        let setB = try settingB(to: 0.25)
        let throughB = try gradients(x, under: setB, dy: Matrix([[0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]])).gradients
        let throughC = try gradients(x, under: setB, dy: Matrix([[0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 1, 0]])).gradients
        for row in [0, 2] {
            #expect(throughB.inputs.elements[4 * row..<4 * row + 4].allSatisfy { $0 == 0 && $0.sign == .plus })
            #expect(throughC.inputs[row, 0] != 0 && throughC.inputs[row, 1] == 0)
        }
        #expect(throughB.inputs[1, 0] != 0 && throughC.inputs[1, 1] != 0)
        // To the value: what comes in at output b, and what c passes back to its parent b.
        #expect(throughB.values[0]!.elements == [0, 2, 0, 0])
        #expect(throughC.values[0]![0, 1] != 0)
    }

    /// A variable's own mechanism learns nothing from rows in which it was set; others do.
    @Test func whatIsSetLearnsNothing() throws {
        let all = try Intervention<Double>().setting(site: 0, mask: [false, true, false, false], values: [0, 0.25, 0, 0])
        let learned = try gradients(x, under: all).gradients.parameters
        for tensor in model.layout.tensors where tensor.isWeight {
            let edges = try #require(tensor.edges)
            for i in 0..<tensor.count where edges.isThere[i] == 0 { #expect(learned[tensor.offset + i] == 0) }
        }
        // Of two outputs with parents b is the first: units 0..<2 of 5, and 0..<3 of 6.
        let first = model.layout.tensors[0], second = model.layout.tensors[2]
        #expect(learned[first.offset..<first.offset + 2 * 4].allSatisfy { $0 == 0 })
        #expect(learned[second.offset..<second.offset + 3 * 5].allSatisfy { $0 == 0 })
        #expect(learned[first.offset + 2 * 4..<first.offset + first.count].contains { $0 != 0 })
    }

    /// One row's intervention touches no other row, and one that sets nothing touches none.
    @Test func neighboursStayAsTheyWere() throws {
        let free = try gradients(x), under = try gradients(x, under: settingB(to: 9))
        for j in 0..<4 {
            #expect(free.y[1, j] == under.y[1, j])
            #expect(free.gradients.inputs[1, j] == under.gradients.inputs[1, j])
        }
        let nothing = try gradients(x, under: Intervention<Double>().setting(site: 0, mask: [false, false, false, false], values: [1, 2, 3, 4]))
        #expect(nothing.y == free.y && nothing.gradients.parameters == free.gradients.parameters && nothing.gradients.inputs == free.gradients.inputs)
    }

    /// What is read through cut edges only may be missing: the parents of what is set, and what was there before it was set.
    @Test func whatIsReadThroughCutEdgesMayBeMissing() throws {
        let setBC = try Intervention<Double>().setting(site: 0, mask: [[false, true, true, false], [false, false, false, false], [false, false, false, false]], values: [[0, 0.25, 2, 0]])
        var hole = x
        for column in 0..<4 { hole[0, column] = .nan }      // nobody reads a, the only parent of b and c that is left, nor d
        let complete = try gradients(x, under: setBC), holey = try gradients(hole, under: setBC)
        #expect(complete.y == holey.y)
        #expect(complete.gradients.inputs == holey.gradients.inputs)
        #expect(complete.gradients.values == holey.gradients.values)
        for (a, b) in zip(complete.gradients.parameters, holey.gradients.parameters) { #expect(abs(a - b) < 1e-12) }
        var read = x
        read[0, 0] = .nan
        let y = try model.predict(read)
        #expect(y[0, 1].isNaN && y[0, 2].isNaN && y[0, 0].isFinite && y[0, 3].isFinite && y[1, 1].isFinite)
    }

    /// Where the output's own site sets it too, that is the last word.
    @Test func hiddenSitesAndTheOutputKeepWorking() throws {
        let both = try settingB(to: 0.25).setting(site: 3, mask: [false, true, false, false], values: [0, 7, 0, 0])
        let y = try model.predict(x, under: both)
        #expect((0..<3).allSatisfy { y[$0, 1] == 7 })
        let h = try Intervention<Double>().setting(site: 2, mask: [true, true, true, false, false, false], values: [1, 1, 1, 0, 0, 0])
        let free = try model.predict(x), hidden = try model.predict(x, under: h)
        for row in 0..<3 { #expect(hidden[row, 1] != free[row, 1] && hidden[row, 2] == free[row, 2]) }
    }

    @Test(arguments: [[], [5], [5, 6]]) func gradientsAgreeWithFiniteDifferences(_ hidden: [Int]) throws {
        let model = try Model<Double>(.mlp(inputs: 4, hidden: hidden, outputs: 4, activation: .gelu, graph: graph), seed: 2)
        let last = hidden.count + 1
        try checkGradients(model, x, values: [0: [[0.1, 0.2, 0.3, 0.4]], last: [[1, 2, 3, 4]]], masks: [0: setsB, last: [[false, false, false, true]]])
    }

    /// Weights that are no edges are zero and stay so, whatever the optimiser adds.
    @Test func absentWeightsStayZero() throws {
        let model = try Model<Float>(.mlp(inputs: 4, hidden: [5, 6], outputs: 4, graph: graph), seed: 3)
        var random = TestRandom(4)
        let data = try Matrix<Float>(rows: 64, columns: 4, (0..<256).map { _ in Float(random.number()) })
        let before = model.parameters!.values
        let trainer = try Trainer(model, on: Dataset(x: data, y: data), options: TrainerOptions(optimizer: OptimizerOptions(weightDecay: 0.1), epochs: 3))
        #expect(try trainer.run() == .finished)
        #expect(model.parameters!.values != before)
        for tensor in model.layout.tensors {
            guard let edges = tensor.edges else { continue }
            for i in 0..<tensor.count { #expect(edges.isThere[i] != 0 || model.parameters!.values[tensor.offset + i] == 0) }
        }
    }

    @Test func whatDoesNotFitIsAnError() throws {
        func attempt(_ inputs: Int, _ hidden: [Int], _ outputs: Int, _ graph: Graph, _ features: [Int]? = nil) -> EngineError? {
            do { _ = try Network.mlp(inputs: inputs, hidden: hidden, outputs: outputs, graph: graph, features: features) } catch { return error }
            return nil
        }
        let ring = try Graph(adjacency: [0, 1, 1, 0], count: 2)
        #expect(attempt(2, [], 2, ring) == EngineError(.cycle, "graph: it has a cycle, x0 -> x1 -> x0"))
        #expect(attempt(2, [], 1, graph) == EngineError(.shape, "2 inputs and 1 outputs, but the graph has 4 variables: expected 4 of both, or 4 together"))
        #expect(attempt(4, [8, 1], 4, graph) == EngineError(.value, "hidden layer 1 has 1 units, expected at least 2: one for each output with parents"))
        #expect(attempt(2, [8], 2, graph, [0, 3]) == EngineError(.value, "the output x2 has the parent x1, which is no input: expected all parents of outputs among the inputs, or hidden"))
        #expect(attempt(2, [8], 2, graph, [0, 4])?.kind == .name)
        #expect(attempt(2, [8], 2, graph, [0, 0]) == EngineError(.value, "features: x0 is there twice, expected different variables"))
        #expect(attempt(2, [8], 2, graph, [0]) == EngineError(.shape, "features: 1 variables, expected 2, one for each input"))
        #expect(attempt(4, [1 << 24, 1 << 24], 4, graph)?.kind == .memory)
        let undirected = try Graph(count: 2, edges: [Graph.Edge(0, .tail, 1, .tail)])
        #expect(attempt(2, [], 2, undirected)?.kind == .value)
    }

    /// A bias is drawn as that of the product under it, also where do() acts in between.
    @Test func aBiasAfterwardsBelongsToTheProductBefore() throws {
        var network = Network(inputs: 9)
        let site = network.site(from: network.input)
        _ = network.bias("h", from: network.again(site, from: network.linear("h", from: site, width: 9, hasBias: false)))
        #expect(try ParameterLayout(network).tensors.last?.fanIn == 9)
    }

    /// What is read through edges that do() cuts at the second place may be missing too, in a network that has all edges.
    @Test func theSecondPlaceCutsEdges() throws {
        var network = Network(inputs: 2)
        let site = network.site(from: network.input)
        let h = network.again(site, from: network.linear("h", from: site, width: 2))
        network.output = network.columns(1..<2, from: h)
        let model = try Model<Double>(network, seed: 0), trace = try model.makeTrace()
        let setsSecond = try Intervention<Double>().setting(site: 0, mask: [[false, true], [false, false]], values: [[0, 3]])
        let y = try model.forward([[.nan, 1], [2, 1]], under: setsSecond, trace: trace)
        let found = try model.backward([[1], [1]], trace: trace)
        #expect(y[0, 0] == 3 && found.parameters[2..<4] == [2, 1] && found.parameters.allSatisfy { $0.isFinite })
        #expect(found.inputs.elements[0..<2] == [0, 0] && found.values[0]!.elements == [0, 1])
    }

    /// A description from a file cannot name a site that is none.
    @Test func onlyASiteCanActAgain() throws {
        for other in [0, 2] {
            var network = Network(inputs: 2)
            let h = network.linear("h", from: network.site(from: network.input), width: 2)
            _ = network.again(other, from: h)
            #expect(throws: EngineError(.value, "network: node 3: node \(other) is no site that could act again")) { try network.validate() }
        }
        var narrow = Network(inputs: 2)
        let site = narrow.site(from: narrow.input)
        _ = narrow.again(site, from: narrow.linear("h", from: site, width: 3))
        #expect(throws: EngineError.self) { try narrow.validate() }
    }
}
