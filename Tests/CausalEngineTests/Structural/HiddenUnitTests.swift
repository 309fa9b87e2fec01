import CausalEngine
import Testing

@Suite struct HiddenUnitTests {
    /// Values of units, shared and one a row, and what is before and behind them, against central differences.
    @Test(arguments: CounterfactualTests.mechanisms.dropFirst()) func gradientsAgreeWithDifferences(_ mechanism: Mechanism) throws {
        let model = try Example.model(Double.self, mechanism: mechanism), rows = 12, step = 1e-5
        let chosen = (0..<rows).map { $0 % 3 != 0 }
        func scenario(_ p: [Double]) -> Scenario {
            Scenario().setting("x", to: .constant(p[0])).setting(HiddenUnit(layer: 0, unit: 2), of: "m", to: .constant(p[1]))
                .shifting("m", by: .constant(p[2])).setting(HiddenUnit(layer: 0, unit: 5), of: "m", to: .rows(Array(p[3...])), rows: chosen)
        }
        func sum(_ p: [Double]) throws -> Double {
            let values = try model.sample(rows: rows, under: scenario(p), member: 0, seed: 3)
            return (0..<rows).reduce(0) { $0 + values[$1, 0] - 0.5 * values[$1, 2] }
        }
        var p = [0.4, 0.3, -0.2] + (0..<rows).map { 0.1 * Double($0) - 0.5 }
        let upstream = try Matrix(rows: rows, columns: 5, (0..<rows).flatMap { _ in [1, 0, -0.5, 0, 0] })
        let found = try model.gradient(ofSample: upstream, under: scenario(p), member: 0, seed: 3).flatMap { $0 }
        #expect(found.count == p.count)
        for k in p.indices {
            let at = p[k]
            p[k] = at + step
            let above = try sum(p)
            p[k] = at - step
            let below = try sum(p)
            p[k] = at
            let slope = (above - below) / (2 * step)
            #expect(abs(found[k] - slope) <= 1e-5 * max(1, abs(slope)), "\(mechanism) value \(k): \(found[k]), differences \(slope)")
        }
        for row in 0..<rows where !chosen[row] { #expect(found[3 + row] == 0) }
    }

    /// Where a whole layer is set nothing comes through it to the causes: exactly 0; a row that is not concerned keeps its gradient.
    @Test func aLayerThatIsSetPassesNothing() throws {
        let model = try Example.model(Double.self)
        var upstream = try Matrix<Double>(rows: 8, columns: 5, repeating: 0)
        for row in 0..<8 { upstream[row, 2] = 1 }       // m
        func gradient(_ rows: [Bool]?) throws -> [Double] {
            var scenario = Scenario().setting("x", to: .rows([Double](repeating: 0.3, count: 8)))
            for unit in 0..<8 { scenario = scenario.setting(HiddenUnit(layer: 0, unit: unit), of: "m", to: 0.1, rows: rows) }
            return try model.gradient(ofSample: upstream, under: scenario, member: 0, seed: 1)[0]
        }
        #expect(try gradient(nil) == [Double](repeating: 0, count: 8))
        let half = try gradient((0..<8).map { $0 < 4 }), none = try gradient([Bool](repeating: false, count: 8))
        for row in 0..<8 { #expect(half[row] == (row < 4 ? 0 : none[row]) && none[row] != 0) }
    }

    /// An interchange has no gradient of its own, and what comes through it is taken for given.
    @Test func interchange() throws {
        let model = try Example.model(Double.self), rows = 8
        let upstream = try Matrix<Double>(rows: rows, columns: 5, repeating: 1), there = Scenario().setting("x", to: 1)
        let taken = try model.sample(rows: rows, under: there, member: 0, seed: 3)
        let m = (0..<rows).map { taken[$0, 2] }
        let found = try model.gradient(ofSample: upstream, under: Scenario().interchanging("m", from: there).setting("x", to: 0.2), member: 0, seed: 3)
        let wanted = try model.gradient(ofSample: upstream, under: Scenario().setting("m", to: .rows(m)).setting("x", to: 0.2), member: 0, seed: 3)
        #expect(found[0].isEmpty && found[1] == wanted[1])
    }

    @Test func theSameBitsOnAnyNumberOfThreads() throws {
        let model = try Example.model(mechanism: .locationScale(hidden: [16])) { $0.members = 2 }, before = Threads.count
        defer { try? Threads.set(before) }
        var scenario = Scenario().interchanging("m", HiddenUnit(layer: 0, unit: 3), from: Scenario().setting("x", to: 1))
        scenario = scenario.setting(HiddenUnit(layer: 0, unit: 4), of: "y", to: 0.5, when: .init(["x"]) { $0[0] > 0 })
        func sample(_ threads: Int) throws -> [Double] {
            try Threads.set(threads)
            return try model.sample(rows: 3_000, under: scenario, seed: 1).elements
        }
        let one = try sample(1)
        #expect(try sample(4) == one)
    }
}
