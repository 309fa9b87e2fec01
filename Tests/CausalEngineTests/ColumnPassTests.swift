@testable import CausalEngine
import CausalKernels
import Testing

/// A training step's pass by columns against the pass of the plan, which other tests hold against differences.
@Suite struct ColumnPassTests {
    @Test(arguments: Activation.allCases, [16, 37, 400])
    func isThePassOfThePlan(_ activation: Activation, _ rows: Int) throws {
        for (hidden, outputs) in [([Int](), 1), ([5], 2), ([6, 13, 7], 1), ([96, 96], 3)] {
            let network = try Network.mlp(inputs: 4, hidden: hidden, outputs: outputs, activation: activation), last = hidden.count + 1
            for sites in [[], [last], Array(1...last)] { try check(network, rows, setting: sites) }
            for site in 1..<last { try check(network, rows, setting: [site], isShared: true) }
        }
    }

    /// Eight parts of two chunks each, and one or two parts of one chunk.
    @Test(arguments: [9001, 300]) func inParts(_ rows: Int) throws {
        for hidden in [20, 64] { try check(.mlp(inputs: 4, hidden: [hidden, 64], outputs: 2), rows, setting: [1, 2]) }
    }

    private func check(_ network: Network, _ rows: Int, setting sites: [Int], isShared: Bool = false) throws {
        var random = TestRandom(11)
        let model = try Model<Double>(network, seed: 5), parameters = model.parameters!, outputs = network.outputWidth
        let pass = try #require(ColumnPass<Double>(model.plan, parameterCount: parameters.count))
        let x = try random.matrix(rows, 4), dy = try random.matrix(rows, outputs)
        var intervention = Intervention<Double>()
        for site in sites {
            let width = model.plan.siteWidths[site], count = isShared ? 1 : rows
            intervention = try intervention.setting(site: site, mask: random.mask(count, width), values: random.matrix(count, width))
        }
        let trace = try model.makeTrace()
        let expected = try model.forward(x, under: intervention, trace: trace)
        let gradient = try model.backward(dy, trace: trace).parameters

        let edits = intervention.bySite + [SiteEdit<Double>?](repeating: nil, count: network.sites.count - intervention.bySite.count)
        #expect(pass.takes(rows: rows, edits))
        var y = [Double](repeating: .nan, count: rows * outputs), found = [Double](repeating: 1, count: parameters.count)
        for accumulates in [false, true] {
            try x.withView { x throws(EngineError) in
                try y.withUnsafeMutableBufferPointer { y throws(EngineError) in try pass.forward(x, edits, parameters.pointer, into: y.baseAddress!) }
            }
            dy.elements.withUnsafeBufferPointer { slopes in
                found.withUnsafeMutableBufferPointer { found in
                    pass.backward(slopes.baseAddress!, edits, parameters.pointer, into: found.baseAddress!, accumulates: accumulates)
                }
            }
            #expect(zip(y, expected.elements).allSatisfy { abs($0 - $1) < 1e-12 })
            let times: Double = accumulates ? 2 : 1
            #expect(zip(found, gradient).allSatisfy { abs($0 - times * $1) < 1e-10 * Double(rows) })
        }
        withExtendedLifetime(intervention) {}
    }

    @Test func whatItDoesNotTake() throws {
        let model = try Model<Double>(.mlp(inputs: 4, hidden: [5], outputs: 1), seed: 1), plan = model.plan
        let pass = try #require(ColumnPass<Double>(plan, parameterCount: model.layout.count))
        let edit = try Intervention<Double>().setting(site: 0, mask: [true, false, false, false], values: [1, 0, 0, 0])
        #expect(!pass.takes(rows: 100, edit.bySite + [nil, nil]))
        #expect(!pass.takes(rows: 15, [nil, nil, nil]))

        let graph = try Graph(count: 4, edges: [Graph.Edge(from: 0, to: 1)])
        for network in [try Network.mlp(inputs: 4, hidden: [129], outputs: 1), try Network.rewiring(inputs: 4, outputs: 4, graph: graph)] {
            let other = try Model<Double>(network, seed: 1)
            #expect(ColumnPass<Double>(other.plan, parameterCount: other.layout.count) == nil)
        }
        withExtendedLifetime(edit) {}
    }

    /// do() before an activation sets what that is given, and a second one in the same place has the last word: these are the plan's.
    @Test func whereSitesAre() throws {
        var network = Network(inputs: 2)
        let sums = network.site(from: network.linear("first", from: network.site(from: network.input), width: 3))
        let hidden = network.site(from: network.site(from: network.activation(.tanh, from: sums)))
        _ = network.site(from: network.linear("second", from: hidden, width: 1))
        let model = try Model<Double>(network, seed: 1), sites = try #require(model.plan.columns).layers.map(\.site)
        #expect(sites == [2, 4])
    }

    /// do() at the input of a training step is x edited, whoever computes it: narrow and wide, some rows a batch and all of them.
    @Test(arguments: [6, 200], [20, 60, nil])
    func doAtTheInputIsXEdited(_ hidden: Int, _ batchSize: Int?) throws {
        var random = TestRandom(3)
        let x = try random.matrix(60, 3), y = try random.matrix(60, 1), values = try random.matrix(60, 3), mask = random.mask(60, 3)
        let edited = try Matrix(rows: 60, columns: 3, x.elements.indices.map { mask[$0 / 3][$0 % 3] ? values.elements[$0] : x.elements[$0] })
        let parameters = try [(x, try Intervention().setting(site: 0, mask: mask, values: values)), (edited, nil)].map { x, intervention in
            let model = try Model<Double>(.mlp(inputs: 3, hidden: [hidden], outputs: 1), seed: 1)
            try Trainer(model, on: Dataset(x: x, y: y, intervention: intervention), options: TrainerOptions(epochs: 3, batchSize: batchSize, seed: 2)).run()
            return Array(UnsafeBufferPointer(start: model.parameters!.pointer, count: model.layout.count))
        }
        #expect(parameters[0] == parameters[1])
    }

    /// Of a row in which a whole layer is set, what comes before is nobody's business: inputs may be missing, and they and values that are set
    /// there may be more than an activation can bear.
    @Test(arguments: Activation.allCases, [15, 16, 40, 300])
    func whatNobodyReads(_ activation: Activation, _ rows: Int) throws {
        for hidden in [[], [5], [5, 9, 4]] {
            for site in 1...hidden.count + 1 { try checkWhatNobodyReads(activation, rows, hidden, site) }
        }
    }

    private func checkWhatNobodyReads(_ activation: Activation, _ rows: Int, _ hidden: [Int], _ site: Int) throws {
        var random = TestRandom(6)
        let widths = [3] + hidden + [2], width = widths[site]
        let x = try random.matrix(rows, 3), y = try random.matrix(rows, 2), values = try random.matrix(rows, width)
        let isSet = (0..<rows).map { $0 % 7 == 0 }
        let mask = (0..<rows).map { row in (0..<width).map { isSet[row] || $0 == 1 && row % 3 == 0 } }
        let parameters = try [0, .nan, .infinity, 1.7e308].map { there in
            let x = try Matrix<Double>(rows: rows, columns: 3, x.elements.indices.map { isSet[$0 / 3] ? there : x.elements[$0] })
            let model = try Model<Double>(.mlp(inputs: 3, hidden: hidden, outputs: 2, activation: activation), seed: 1)
            var edit = try Intervention().setting(site: site, mask: mask, values: values)
            if site > 1 {
                let units = hidden[0], huge = there.isFinite ? there : 0.5
                let before = try Matrix<Double>(rows: rows, columns: units, (0..<rows * units).map { isSet[$0 / units] ? huge : 0.5 })
                edit = try edit.setting(site: 1, mask: (0..<rows).map { row in (0..<units).map { $0 > 0 && row % 2 == 0 } }, values: before)
            }
            try Trainer(model, on: Dataset(x: x, y: y, intervention: edit), options: TrainerOptions(epochs: 3, seed: 2)).run()
            return model.parameters!.values
        }
        for other in parameters.dropFirst() { #expect(zip(other, parameters[0]).allSatisfy { abs($0 - $1) < 1e-9 }) }
    }

    /// Rows that fill the lanes up are nobody's either: they may be more than the layers can bear where do() keeps the others from that.
    @Test(arguments: [Activation.identity, .relu, .gelu], [16, 33])
    func rowsThatAreNone(_ activation: Activation, _ rows: Int) throws {
        let model = try Model<Double>(.mlp(inputs: 3, hidden: [4, 4], outputs: 1, activation: activation), seed: 0)
        model.parameters!.withMutablePointer { parameters in
            (parameters + 12).update(repeating: 1e200, count: 4 + 16)       // the biases of layer 1 and the weights of layer 2
        }
        let x = try Matrix<Double>(rows: rows, columns: 3, repeating: 0), y = try Matrix<Double>(rows: rows, columns: 1, repeating: 0)
        let edit = try Intervention<Double>().setting(site: 1, mask: [[Bool](repeating: true, count: 4)],
                                                      values: Matrix(rows: 1, columns: 4, repeating: 1e-200))
        let options = TrainerOptions(optimizer: OptimizerOptions(.sgd(momentum: 0), learningRate: 1e-3), epochs: 2, seed: 2)
        try Trainer(model, on: Dataset(x: x, y: y, intervention: edit), options: options).run()
        let isFinite = model.parameters!.values.allSatisfy(\.isFinite)
        #expect(isFinite)
    }

    @Test(arguments: [256, 1400]) func anyNumberOfThreads(_ batchSize: Int) throws {
        let before = Threads.count
        defer { try? Threads.set(before) }
        var random = TestRandom(4)
        let x = try random.matrix(3000, 3), y = try random.matrix(3000, 1)
        let parameters = try [1, 2, 3].map { threads in
            try Threads.set(threads)
            let model = try Model<Double>(.mlp(inputs: 3, hidden: [64, 64], outputs: 1, activation: .gelu), seed: 1)
            try Trainer(model, on: Dataset(x: x, y: y), options: TrainerOptions(epochs: 3, batchSize: batchSize, seed: 2)).run()
            return Array(UnsafeBufferPointer(start: model.parameters!.pointer, count: model.layout.count))
        }
        #expect(parameters[0] == parameters[1] && parameters[0] == parameters[2])
    }
}
