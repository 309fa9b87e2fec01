import CausalEngine
import Testing

@Suite struct NewMechanismTests {
    private let rows = try! Example.data(rows: 300, seed: 9)

    /// In the place of a mechanism the same one: every row is what it was, and so is every sample.
    @Test(arguments: CounterfactualTests.mechanisms) func itsOwnMechanismChangesNothing(_ mechanism: Mechanism) throws {
        let model = try Example.model(Double.self, mechanism: mechanism)
        var scenario = Scenario()
        for name in ["y", "m", "x", "z"] where name != "x" { scenario = scenario.replacing(name, by: try NewMechanism(of: name, in: model)) }
        let answer = try model.counterfactual(rows, under: scenario, member: 0)
        for (a, b) in zip(answer.elements, rows.elements) { #expect(abs(a - b) <= 1e-9 * max(1, abs(b))) }
        let here = try model.sample(rows: 300, under: scenario, seed: 2), there = try model.sample(rows: 300, seed: 2)
        for (a, b) in zip(here.elements, there.elements) { #expect(abs(a - b) <= 1e-9 * max(1, abs(b))) }
    }

    /// Of kinds whose noises differ: rows with the noise that was learned, taken in order, get the other noises in order.
    @Test(arguments: CounterfactualTests.mechanisms) func noiseKeepsItsRank(_ mechanism: Mechanism) throws {
        let model = try Example.model(Double.self, mechanism: .additive(hidden: [8])), other = try Example.model(Double.self, mechanism: mechanism, rows: 350)
        let scenario = Scenario().replacing("m", by: try NewMechanism(of: "m", in: other))
        let answer = try model.counterfactual(rows, under: scenario, member: 0)
        let before = try model.abduct(rows, member: 0), after = try other.abduct(answer, member: 0)
        let order = (0..<rows.rows).sorted { before[$0, 2] < before[$1, 2] }
        for (a, b) in zip(order, order.dropFirst()) { #expect(after[a, 2] <= after[b, 2] + 1e-9) }
        let mean = order.reduce(0) { $0 + after[$1, 2] } / 300
        #expect(abs(mean) < 0.25)
    }

    @Test(arguments: CounterfactualTests.mechanisms) func gradientsReachTheNewCauses(_ mechanism: Mechanism) throws {
        let model = try Example.model(Double.self), other = try Example.model(Double.self, mechanism: mechanism, rows: 350), step = 1e-5
        let half = (0..<8).map { $0 % 2 == 0 }
        func scenario(_ x: Double) throws -> Scenario {
            Scenario().setting("x", to: .constant(x)).replacing("m", by: try NewMechanism(of: "m", in: other), rows: half)
        }
        func sum(_ x: Double) throws -> Double {
            let values = try model.sample(rows: 8, under: scenario(x), member: 0, seed: 3)
            return (0..<8).reduce(0) { $0 + values[$1, 0] + 2 * values[$1, 2] }
        }
        let upstream = try Matrix(rows: 8, columns: 5, (0..<8).flatMap { _ in [1, 0, 2, 0, 0] })
        let found = try model.gradient(ofSample: upstream, under: scenario(0.3), member: 0, seed: 3)
        let slope = try (sum(0.3 + step) - sum(0.3 - step)) / (2 * step)
        #expect(found[1].isEmpty && abs(found[0][0] - slope) < 1e-5 * max(1, abs(slope)), "\(mechanism): \(found[0][0]), differences \(slope)")
    }

    /// y = formula + the noise that y has; and with noise that is given.
    @Test func formulas() throws {
        let model = try Example.model(Double.self)
        let kept = try model.counterfactual(rows, under: Scenario().replacing("m", by: NewMechanism(["w"]) { $0[0] }), member: 0)
        let plain = try model.counterfactual(rows, under: Scenario().replacing("m", by: NewMechanism([]) { _ in 0 }), member: 0)
        for row in 0..<300 { #expect(abs(kept[row, 2] - plain[row, 2] - rows[row, 3]) < 1e-9) }
        let noise = (0..<300).map(Double.init)
        let given = try model.counterfactual(rows, under: Scenario().replacing("m", by: NewMechanism(["x"], noise: .rows(noise)) { 2 * $0[0] }), member: 0)
        for row in 0..<300 { #expect(given[row, 2] == 2 * rows[row, 1] + noise[row]) }
    }

    @Test func whatCannotBeIsSaid() throws {
        let model = try Example.model(Double.self, mechanism: .flow(hidden: [8])), single = try Example.model(Float.self)
        func message(_ scenario: Scenario) -> String? {
            #expect(throws: EngineError.self) { try model.sample(rows: 2, under: scenario, seed: 1) }?.message
        }
        #expect(message(Scenario().replacing("m", by: try NewMechanism(of: "m", in: single)))?.contains("another dtype, expected float64") == true)
        #expect(message(Scenario().replacing("m", by: NewMechanism(["x"]) { $0[0] }))?.contains("(flow) does not add") == true)
        #expect(message(Scenario().replacing("z", by: NewMechanism(["x"], noise: 0) { $0[0] }))?.contains("expected a real variable") == true)
        #expect(message(Scenario().replacing("x", by: NewMechanism(["y"], noise: 0) { $0[0] }))?.contains("cycle") == true)
        #expect(message(Scenario().replacing("m", by: try NewMechanism(of: "m", in: model)).shifting("m", by: 1))?.contains("row 0 of m") == true)
        #expect(throws: EngineError.self) { try NewMechanism(of: "nobody", in: model) }
        // Kept noise must be known; new noise asks for none.
        var missing = rows
        missing[3, 2] = .nan
        #expect(throws: EngineError.self) { try model.counterfactual(missing, under: Scenario().replacing("m", by: try NewMechanism(of: "m", in: model)), member: 0) }
    }
}
