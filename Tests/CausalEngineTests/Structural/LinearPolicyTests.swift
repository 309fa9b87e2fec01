import CausalEngine
import Testing

@Suite struct LinearPolicyTests {
    private let model = try! Example.model(Double.self)
    private let rows = 12

    private func loss(_ scenario: Scenario) throws -> Double {
        let values = try model.sample(rows: rows, under: scenario, member: 0, seed: 3)
        return (0..<rows).reduce(0) { $0 + values[$1, 0] - 0.5 * values[$1, 2] }
    }

    /// m = a + b x + c w within bounds that some rows meet, after do(x = v): numbers that all rows share, then numbers of each, and v.
    @Test(arguments: [false, true]) func gradientsAgreeWithDifferences(isByRow: Bool) throws {
        let groups = isByRow ? rows : 1, step = 1e-5, chosen = (0..<rows).map { $0 != 5 }
        func scenario(_ p: [Double]) -> Scenario {
            Scenario().setting("x", to: .constant(p.last!))
                .adding(.init(variable: "m", action: .linear(LinearPolicy(reads: ["x", "w"], numbers: Array(p.dropLast()), within: -1...1)), rows: chosen, condition: nil))
        }
        var p: [Double] = []
        for k in 0..<groups { p += [0.1 + 0.01 * Double(k), 0.7, 0.01 - 0.001 * Double(k)] }
        p.append(0.4)
        let upstream = try Matrix(rows: rows, columns: 5, (0..<rows).flatMap { _ in [1, 0, -0.5, 0, 0] })
        let found = try model.gradient(ofSample: upstream, under: scenario(p), member: 0, seed: 3)
        let flat = found[1] + found[0]
        #expect(flat.count == p.count)
        var held = 0
        for k in p.indices {
            let at = p[k]
            p[k] = at + step
            let above = try loss(scenario(p))
            p[k] = at - step
            let below = try loss(scenario(p))
            p[k] = at
            let slope = (above - below) / (2 * step)
            if slope == 0 { held += 1 }
            #expect(abs(flat[k] - slope) <= 1e-5 * max(1, abs(slope)), "number \(k): \(flat[k]), differences \(slope)")
        }
        if isByRow { #expect(held >= 3 && held < 36) }       // the row that is not chosen, at least
    }

    /// The mechanism that is replaced is not asked, and its causes hear of the variable through the policy alone.
    @Test func itCutsTheMechanism() throws {
        var upstream = try Matrix<Double>(rows: 8, columns: 5, repeating: 0)
        for row in 0..<8 { upstream[row, 2] = 1 }       // m
        let scenario = Scenario().setting("x", to: 0.3).setting("m", by: LinearPolicy(["w"], intercept: 1, coefficients: [0]))
        let found = try model.gradient(ofSample: upstream, under: scenario, member: 0, seed: 1)
        #expect(found[0] == [0] && found[1][0] == 8)
        #expect(try model.sample(rows: 3, under: scenario, seed: 1)[2, 2] == 1)
    }

    @Test func mistakesAreNamed() throws {
        func kind(_ variable: String, _ policy: LinearPolicy) -> EngineError.Kind? {
            #expect(throws: EngineError.self) { try model.sample(rows: 2, under: Scenario().setting(variable, by: policy), seed: 1) }?.kind
        }
        #expect(kind("m", LinearPolicy(["nobody"], intercept: 0, coefficients: [1])) == .name)
        #expect(kind("m", LinearPolicy(["x"], intercept: 0, coefficients: [])) == .shape)
        #expect(kind("m", LinearPolicy(["x"], intercept: 0, coefficients: [1, 2, 3, 4])) == .shape)
        #expect(kind("m", LinearPolicy(["x"], intercept: .nan, coefficients: [1])) == .value)
        #expect(kind("m", LinearPolicy(["x"], intercept: 0, coefficients: [.infinity])) == .value)
        #expect(kind("z", LinearPolicy(["x"], intercept: 0, coefficients: [1])) == .value)
        #expect(kind("x", LinearPolicy(["y"], intercept: 0, coefficients: [1])) == .cycle)
    }
}
