import CausalEngine
import CausalKernels
import Glibc
import Testing

@Suite struct NetworkPolicyTests {
    private let model = try! Example.model(Double.self)
    /// More than one chunk of rows, so that their gradients are added up.
    private let rows = 300

    private func loss(_ scenario: Scenario) throws -> Double {
        let values = try model.sample(rows: rows, under: scenario, member: 0, seed: 3)
        return (0..<rows).reduce(0) { $0 + values[$1, 0] - 0.5 * values[$1, 2] }
    }

    /// Numbers as a network begins with them.
    private func numbers(_ widths: [Int], _ seed: UInt64 = 1) -> [Double] {
        var random = TestRandom(seed)
        return zip(widths, widths.dropFirst()).flatMap { inputs, outputs in (0..<(inputs + 1) * outputs).map { _ in random.number() } }
    }

    /// m = policy(x, w) in some rows, where x is shifted by v: all numbers, and v, to which a gradient comes through the policy and past it.
    @Test(arguments: [Activation.tanh, .gelu, .relu, .identity]) func gradientsAgreeWithDifferences(_ activation: Activation) throws {
        let chosen = (0..<rows).map { $0 % 7 != 5 }, hidden = activation == .identity ? [] : [5, 3], widths = [2] + hidden + [1]
        func scenario(_ p: [Double]) -> Scenario {
            Scenario().shifting("x", by: .constant(p.last!)).setting("m", by: NetworkPolicy(
                ["w", "x"], hidden: hidden, activation: activation, within: -2...1, scales: [(mean: 10, scale: 100), (mean: 0.1, scale: 1.5)],
                numbers: Array(p.dropLast())), rows: chosen)
        }
        let p = numbers(widths) + [0.4]
        let upstream = try Matrix(rows: rows, columns: 5, (0..<rows).flatMap { _ in [1, 0, -0.5, 0, 0] })
        let found = try model.gradient(ofSample: upstream, under: scenario(p), member: 0, seed: 3)
        let flat = found[1] + found[0]
        #expect(flat.count == p.count)
        for k in p.indices {
            let slope = try centralDifference(at: p[k], step: 1e-6) {
                var changed = p
                changed[k] = $0
                return try loss(scenario(changed))
            }
            #expect(relativeError(flat[k], slope) < 2e-6, "\(activation) number \(k): \(flat[k]), differences \(slope)")
        }
    }

    /// By hand; a row that it does not concern is as if it were not there, and may read anything.
    @Test func itDoesWhatItSays() throws {
        let chosen = (0..<40).map { $0 % 2 == 0 }, p = [0.7, -1.2, 0.3, 2, -0.4]
        let policy = NetworkPolicy(["x"], hidden: [1], activation: .tanh, within: 2...5, scales: [(mean: 1, scale: 2)], numbers: [p[0], p[2], p[3], p[4]])
        let free = try model.sample(rows: 40, seed: 2), under = try model.sample(rows: 40, under: Scenario().setting("m", by: policy, rows: chosen), seed: 2)
        for row in 0..<40 {
            let x = (under[row, 1] - 1) / 2, told: Double = p[3] * tanh(p[0] * x + p[2]) + p[4]
            let wanted = 2 + 3 / (1 + exp(-told))
            #expect(chosen[row] ? abs(under[row, 2] - wanted) < 1e-12 : under[row, 2] == free[row, 2])
        }
    }

    /// Categories are told by their levels, and pass no gradient to their causes.
    @Test func itReadsCategories() throws {
        let graph = try Graph(variables: ["c", "b", "y"], edges: [("c", "y"), ("b", "y")])
        let data = try Matrix((0..<60).map { (row: Int) -> [Double] in [Double(row % 3), Double(row / 7 % 2), Double(row % 5)] })
        let description = try StructuralDescription(graph, kinds: ["c": .categorical(levels: 3), "b": .categorical(levels: 2)], mechanisms: ["y": .linear])
        var options = StructuralTrainerOptions()
        options.epochs = 1
        let trainer = try StructuralTrainer<Float>(description, on: StructuralDataset(data), options: options)
        try trainer.run()
        let model = try trainer.model(), p = [1.0, -2, 3, 0.5, 0]
        let sample = try model.sample(rows: 50, under: Scenario().setting("y", by: NetworkPolicy(["c", "b"], hidden: [], within: 0...1, numbers: p)), seed: 1)
        for row in 0..<50 {
            let told: Double = p[Int(sample[row, 0])] + 0.5 * sample[row, 1], wanted = 1 / (1 + exp(-told))
            #expect(abs(sample[row, 2] - wanted) < 1e-12)
        }
    }

    @Test func theBitsDoNotDependOnThreads() throws {
        var upstream = try Matrix<Double>(rows: 2_000, columns: 5, repeating: 0)
        for row in 0..<2_000 { upstream[row, 0] = 1 }
        let scenario = Scenario().setting("m", by: NetworkPolicy(["x", "w"], hidden: [8], within: -1...1, numbers: numbers([2, 8, 1])))
        let before = Threads.count
        defer { try? Threads.set(before) }
        let found = try [1, 2, 3].map { threads in
            try Threads.set(threads)
            return try model.gradient(ofSample: upstream, under: scenario, member: 0, seed: 1)
        }
        #expect(found[0] == found[1] && found[0] == found[2])
    }

    @Test func mistakesAreNamed() throws {
        func kind(_ variable: String, _ policy: NetworkPolicy) -> EngineError.Kind? {
            #expect(throws: EngineError.self) { try model.sample(rows: 2, under: Scenario().setting(variable, by: policy), seed: 1) }?.kind
        }
        let p = numbers([1, 2, 1])
        func policy(_ reads: [String] = ["x"], _ range: ClosedRange<Double> = 0...1, hidden: [Int] = [2], scales: [(mean: Double, scale: Double)] = [],
                    numbers: [Double]? = nil) -> NetworkPolicy {
            NetworkPolicy(reads, hidden: hidden, within: range, scales: scales, numbers: numbers ?? p)
        }
        #expect(kind("m", policy(["nobody"])) == .name)
        #expect(kind("m", policy([])) == .value)
        #expect(kind("x", policy(["y"])) == .cycle)
        #expect(kind("z", policy()) == .value)
        #expect(kind("m", policy(["x", "w"])) == .shape)
        #expect(kind("m", policy(hidden: [2, 2])) == .shape)
        #expect(kind("m", policy(hidden: [0])) == .value)
        #expect(kind("m", policy(hidden: [Int.max / 2])) == .memory)
        let most = Double.greatestFiniteMagnitude
        for range in [0.0...0, 0...Double.infinity, -most...most] { #expect(kind("m", policy(["x"], range)) == .value) }
        #expect(kind("m", policy(scales: [(0, 1), (0, 1)])) == .shape)
        for scale in [(0.0, 0.0), (.nan, 1), (0, .infinity), (0, -1)] { #expect(kind("m", policy(scales: [(mean: scale.0, scale: scale.1)])) == .value) }
        #expect(kind("m", policy(numbers: [.nan] + p.dropFirst())) == .value)
        #expect(kind("m", policy(numbers: [])) == .shape)
    }
}
