import CausalEngine
import Testing

@Suite struct ScenarioGradientTests {
    /// A loss of a sample: weights times values, the same weights for all rows.
    private func loss(_ model: StructuralModel<Double>, _ scenario: Scenario, rows: Int, _ weights: [Double]) throws -> Double {
        let values = try model.sample(rows: rows, under: scenario, member: 0, seed: 3)
        var sum = 0.0
        for row in 0..<rows {
            for (v, weight) in weights.enumerated() { sum += weight * values[row, v] }
        }
        return sum
    }

    /// Values, amounts and factors, shared and one a row, alone and after each other, against central differences.
    @Test(arguments: CounterfactualTests.mechanisms) func gradientsAgreeWithDifferences(_ mechanism: Mechanism) throws {
        let model = try Example.model(Double.self, mechanism: mechanism), rows = 12, step = 1e-5
        // y, x, m, w, z; the category has no slope.
        let weights = [0.3, -0.2, 0.5, 0, 0]
        let chosen = (0..<rows).map { $0 % 3 != 0 }
        func scenarios(_ p: [Double]) -> Scenario {
            Scenario().setting("x", to: .rows(Array(p[0..<rows])), rows: chosen)
                .scaling("m", by: .constant(p[rows])).shifting("m", by: .constant(p[rows + 1]))
                .clamping("m", to: -1.5...1.5).shifting("y", by: .rows(Array(p[(rows + 2)...])))
        }
        var p: [Double] = []
        for row in 0..<rows { p.append(0.1 * Double(row) - 0.5) }
        p += [0.9, 0.2]
        for row in 0..<rows { p.append(0.05 * Double(row)) }
        let upstream = try Matrix(rows: rows, columns: 5, (0..<rows).flatMap { _ in weights })
        let found = try model.gradient(ofSample: upstream, under: scenarios(p), member: 0, seed: 3).flatMap { $0 }
        #expect(found.count == p.count)
        for k in p.indices {
            let at = p[k]
            p[k] = at + step
            let above = try loss(model, scenarios(p), rows: rows, weights)
            p[k] = at - step
            let below = try loss(model, scenarios(p), rows: rows, weights)
            p[k] = at
            let slope = (above - below) / (2 * step)
            #expect(abs(found[k] - slope) <= 1e-5 * max(1, abs(slope)), "\(mechanism) value \(k): \(found[k]), differences \(slope)")
        }
    }

    /// What is set sends nothing to its causes, by any way through it; by other ways it does.
    @Test func aSetVariablePassesNothingToItsCauses() throws {
        let model = try Example.model(Double.self)
        var upstream = try Matrix<Double>(rows: 8, columns: 5, repeating: 0)
        for row in 0..<8 { upstream[row, 2] = 1 }       // m
        let scenario = Scenario().setting("x", to: 0.3).setting("m", to: 1)
        #expect(try model.gradient(ofSample: upstream, under: scenario, member: 0, seed: 1) == [[0], [8]])
        for row in 0..<8 { upstream[row, 0] = 1 }       // y, which x reaches without m
        #expect(try model.gradient(ofSample: upstream, under: scenario, member: 0, seed: 1)[0][0] != 0)
    }

    @Test func theSameBitsOnAnyNumberOfThreads() throws {
        let model = try Example.model(mechanism: .locationScale(hidden: [16])), before = Threads.count
        defer { try? Threads.set(before) }
        let upstream = try Matrix<Double>(rows: 3_000, columns: 5, repeating: 1)
        func gradient(_ threads: Int) throws -> [[Double]] {
            try Threads.set(threads)
            return try model.gradient(ofSample: upstream, under: Scenario().setting("x", to: 0.3), member: 0, seed: 1)
        }
        let one = try gradient(1)
        #expect(try gradient(4) == one)
    }

    @Test func aFunctionHasNoKnownDerivative() throws {
        let model = try Example.model(Double.self)
        let upstream = try Matrix<Double>(rows: 2, columns: 5, repeating: 1)
        let error = #expect(throws: EngineError.self) {
            try model.gradient(ofSample: upstream, under: Scenario().setting("x", by: ["w"]) { $0[0] }, member: 0, seed: 1)
        }
        #expect(error?.kind == .value && error?.message.contains("x is computed by a function") == true)
    }
}
