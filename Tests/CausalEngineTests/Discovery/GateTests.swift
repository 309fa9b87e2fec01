@testable import CausalEngine
import CausalKernels
import Testing

/// A network that learns its graph: its gradients, what gates and cycles cost, and what it must not look at.
@Suite struct GateTests {
    private let count = 4, units = 3, rows = 70      // more than one chunk

    private func learner(seed: UInt64 = 1) throws -> GateLearner<Double> {
        var random = TestRandom(seed)
        // What is known of 0 -> 1 and 2 -> 3 has no gradient.
        let kinds = (0..<count * count).map { place -> Gates.Kind in place % (count + 1) == 0 || place == 11 ? .closed : place == 1 ? .open : .free }
        let gates = try Gates(count: count, kinds: kinds)
        for place in 0..<count * count { gates.logits.pointer[place] = random.number() }
        let network = try GatedNetwork<Double>(variables: count, units: units, rows: rows, random: Random(seed: seed, purpose: .searching, index: 0))
        for k in 0..<network.parameters.count { network.parameters.pointer[k] += 0.3 * random.number() }
        return try GateLearner(network, gates, sparsity: 0.3, ridge: 0.02, weightRate: 0.01, gateRate: 0.01)
    }

    private func batch(_ random: inout TestRandom) -> (x: [Double], tells: [Double], draw: [Double]) {
        let size = rows * count
        return ((0..<size).map { _ in random.number() }, (0..<size).map { _ in random.index(below: 4) == 0 ? 0 : 1 },
                (0..<count * count).map { _ in 0.5 + 0.45 * random.number() })
    }

    @Test(arguments: [0, 2.5]) func gradientsAreThoseOfTheObjective(_ strength: Double) throws {
        var random = TestRandom(5), learner = try learner()
        let (x, tells, draw) = batch(&random), scale = learner.cycleScale()
        func value() throws -> Double {
            try learner.objective(x, tells: tells, rows: rows, draw: draw, strength: strength, cycleScale: scale)
        }
        _ = try value()
        let weights = Array(learner.network.gradient.buffer), logits = learner.logitGradient
        #expect(learner.gates.slopes.contains { $0 > 0 } && learner.gates.slopes.contains(0))
        for (parameters, gradients) in [(learner.network.parameters, weights), (learner.gates.logits, logits)] {
            for k in 0..<parameters.count {
                let here = parameters.pointer[k]
                let slope = try centralDifference(at: here) {
                    parameters.pointer[k] = $0
                    return try value()
                }
                parameters.pointer[k] = here
                #expect(relativeError(slope, gradients[k]) < 1e-7, "parameter \(k) of \(parameters.count)")
            }
        }
        #expect(logits[1] == 0 && logits[11] == 0 && logits[0] == 0)
    }

    @Test func aVariableThatWasSetAddsNothing() throws {
        var random = TestRandom(8)
        var (x, tells, _) = batch(&random)
        // Nobody reads variable 2, which was set in row 66.
        let place = 66 * count + 2
        tells[place] = 0
        func evaluated() throws -> (Double, [Double]) {
            let network = try learner().network
            var gates = [Double](repeating: 0.7, count: count * count), gateGradient = gates
            for k in 0..<count { gates[2 * count + k] = 0 }
            // Without the price of weights, which all have.
            let loss = network.evaluate(x, tells: tells, rows: rows, gates: gates, ridge: 0, gateGradient: &gateGradient)
            let hidden = 2 * units * count..<3 * units * count      // from variable 2, behind closed gates
            return (loss, network.gradient.buffer.enumerated().filter { !hidden.contains($0.offset) }.map(\.element))
        }
        let before = try evaluated()
        x[place] = 1e200
        let after = try evaluated()
        #expect(before.0.bitPattern == after.0.bitPattern && before.1.map(\.bitPattern) == after.1.map(\.bitPattern))
        tells[place] = 1
        #expect(try evaluated().0 != before.0)
        // Set in all rows, it has no gradient at all.
        x[place] = 0
        for row in 0..<rows { tells[row * count + 2] = 0 }
        let (_, gradients) = try evaluated()
        #expect(gradients.enumerated().allSatisfy { $0.offset % count != 2 || $0.element == 0 })
        #expect(gradients.contains { $0 != 0 })
    }

    @Test(arguments: 2...4) func whatHasNoCycleCostsNothing(_ count: Int) throws {
        var random = TestRandom(3), acyclicity = Acyclicity(count: count), gradient = [Double](repeating: 0, count: count * count)
        for graph in try allAcyclicGraphs(count) {
            var a = [Double](repeating: 0, count: count * count)
            for edge in graph.edges { a[edge.first * count + edge.second] = 0.5 + abs(random.number()) }
            #expect(try acyclicity(a, scale: acyclicity.scale(for: a), gradient: &gradient) == 0)
            guard let edge = graph.edges.first else { continue }
            // Closing a cycle would cost something, and does.
            #expect(gradient[edge.second * count + edge.first] > 0)
            a[edge.second * count + edge.first] = 0.1
            #expect(try acyclicity(a, scale: acyclicity.scale(for: a), gradient: &gradient) > 0)
        }
    }

    @Test(arguments: [2, 5, 9]) func acyclicityHasItsGradientAndItsScale(_ count: Int) throws {
        var random = TestRandom(UInt64(count)), acyclicity = Acyclicity(count: count)
        var a = (0..<count * count).map { $0 % (count + 1) == 0 || random.isTrue() ? 0 : abs(random.number()) }
        a[1] = 1
        a[count] = 1
        let scale = acyclicity.scale(for: a)
        var gradient = [Double](repeating: 0, count: count * count), other = gradient
        _ = try acyclicity(a, scale: scale, gradient: &gradient)
        for place in a.indices {
            let here = a[place]
            let slope = try centralDifference(at: here) {
                a[place] = $0
                return try acyclicity(a, scale: scale, gradient: &other)
            }
            a[place] = here
            #expect(relativeError(slope, gradient[place]) < 1e-7)
        }
        // Powers of what is below its scale vanish.
        var power = try Matrix(rows: count, columns: count, a.map { $0 / scale })
        for _ in 0..<12 {
            var square = try Matrix(rows: count, columns: count, repeating: 0)
            for i in 0..<count { for j in 0..<count { for k in 0..<count { square[i, j] += power[i, k] * power[k, j] } } }
            power = square
        }
        #expect(power.elements.allSatisfy { abs($0) < 1e-6 })
    }

    @Test func gatesBecomeAGraphThatKnowledgeAllows() throws {
        var random = TestRandom(2)
        for _ in 0..<50 {
            let count = 2 + random.index(below: 8)
            let gates = try Gates(count: count, kinds: (0..<count * count).map { $0 % (count + 1) == 0 ? .closed : .free })
            for place in 0..<count * count { gates.logits.pointer[place] = 3 * random.number() }
            let found = GateOrder(gates, required: (0..<count).map { $0 == 0 ? [1] : [] }, mostParents: [Int](repeating: 2, count: count))
            let place = Dictionary(uniqueKeysWithValues: found.order.enumerated().map { ($0.element, $0.offset) })
            #expect(found.parents[0].contains(1) && found.order.sorted() == Array(0..<count))
            for (effect, causes) in found.parents.enumerated() {
                #expect(causes.count <= 2 && causes.allSatisfy { place[Int($0)]! < place[effect]! })
            }
        }
    }

    @Test func sameOnAnyNumberOfThreadsAndInSlices() throws {
        var random = TestRandom(4)
        let data = try StructuralDataset(try nonlinear(300, &random))
        var options = DiscoveryOptions()
        options.score = .network
        options.restarts = 1
        let before = Threads.count
        defer { try? Threads.set(before) }
        var results: [(Graph, [Double])] = []
        for threads in [1, 2] {
            try Threads.set(threads)
            let discovery = try Discovery(data, variables: (0..<4).map { Variable("x\($0)") }, options: options)
            while try !discovery.run(seconds: threads == 2 ? 0.02 : .infinity) { _ = try discovery.graph() }
            results.append((try discovery.graph(), try discovery.gates()))
        }
        #expect(results[0] == results[1])
        #expect(results[0].1.allSatisfy { (0...1).contains($0) })
    }

    @Test func whatRegimesChangedIsFoundWhereTheGraphIsKnown() throws {
        for (seed, changes) in [(1, true), (2, true), (3, false), (4, false)] {
            var random = TestRandom(UInt64(seed)), x = try nonlinear(1_500, &random)
            let labels = (0..<1_500).map { $0 < 900 ? 0 : $0 < 1_200 ? 1 : 2 }
            if changes {
                for row in 0..<1_500 where labels[row] == 1 { x[row, 1] = 0.5 * random.number() }             // set
                for row in 0..<1_500 where labels[row] == 2 { x[row, 3] += 0.5 }                               // shifted; nothing follows from it
                for row in 0..<1_500 where labels[row] == 1 { x[row, 2] = response(x[row, 1], x[row, 0]) + noise(&random) }
                for row in 0..<1_500 where labels[row] == 1 { x[row, 3] = response(x[row, 2], x[row, 1]) + noise(&random) }
            }
            let search = TargetSearch(try StructuralDataset(x), [[], [0], [0, 1], [1, 2]], try Regimes(labels, rows: 1_500),
                                      targets: [Bool](repeating: false, count: 12), penalty: 2, random: Random(seed: 1, purpose: .searching, index: 0))
            #expect(try !search.run { search.variablesDone == 2 })
            #expect(try search.run { false })
            #expect(search.found.indices.filter { search.found[$0] } == (changes ? [5, 11] : []))
        }
    }

    private func noise(_ random: inout TestRandom) -> Double { 0.4 * (random.number() + random.number() + random.number()) }
    private func response(_ a: Double, _ b: Double) -> Double { (3 * a).magnitude - b * a }

    /// 0 -> 1, both -> 2, 1 and 2 -> 3.
    private func nonlinear(_ rows: Int, _ random: inout TestRandom) throws -> Matrix<Double> {
        var x = try Matrix<Double>(rows: rows, columns: 4, repeating: 0)
        for row in 0..<rows {
            x[row, 0] = noise(&random)
            x[row, 1] = (2 * x[row, 0]).magnitude - 1 + noise(&random)
            x[row, 2] = response(x[row, 1], x[row, 0]) + noise(&random)
            x[row, 3] = response(x[row, 2], x[row, 1]) + noise(&random)
        }
        return x
    }
}
