import CausalEngine
import Testing

@Suite struct ScenarioTests {
    private let rows = try! Example.data(rows: 300, seed: 9)
    private let model = try! Example.model()

    private func column(_ matrix: Matrix<Double>, _ v: Int) -> [Double] { (0..<matrix.rows).map { matrix[$0, v] } }

    private func answer(_ scenario: Scenario) throws -> Matrix<Double> { try model.counterfactual(rows, under: scenario, member: 0) }

    /// Interventions without strength change nothing (beyond a rounding of what is computed anew).
    @Test func softEditsOfNoStrength() throws {
        for scenario in [Scenario().shifting("m", by: 0), Scenario().scaling("m", by: 1), Scenario().clamping("m", to: -1e9...1e9),
                         Scenario().transforming("m") { $0[0] }, Scenario().shifting("m", by: 5, when: .init(["x"]) { _ in false })] {
            for (a, b) in zip(try answer(scenario).elements, rows.elements) { #expect(abs(a - b) <= 1e-9 * max(1, abs(b))) }
        }
    }

    @Test func editsComposeInTheOrderGiven() throws {
        let m = column(rows, 2)
        let shifted = column(try answer(Scenario().shifting("m", by: 1).scaling("m", by: 2)), 2)
        let scaled = column(try answer(Scenario().scaling("m", by: 2).shifting("m", by: 1)), 2)
        for i in m.indices {
            #expect(abs(shifted[i] - 2 * (m[i] + 1)) < 1e-9)
            #expect(abs(scaled[i] - (2 * m[i] + 1)) < 1e-9)
        }
        let clamped = column(try answer(Scenario().clamping("m", to: -0.5...0.5)), 2)
        for i in m.indices { #expect(abs(clamped[i] - min(max(m[i], -0.5), 0.5)) < 1e-9) }
    }

    /// A condition looks at the values of the same run, and so does a policy, whatever the order of the variables was.
    @Test func conditionsAndPolicies() throws {
        let x = column(rows, 1), m = column(rows, 2), w = column(rows, 3)
        let conditional = column(try answer(Scenario().setting("m", to: 7, when: .init(["x", "w"]) { $0[0] > 0 && $0[1] > 0 })), 2)
        for i in x.indices { #expect(x[i] > 0 && w[i] > 0 ? conditional[i] == 7 : abs(conditional[i] - m[i]) < 1e-9) }
        // x precedes w in the graph's own order; here it comes to depend on it.
        let policy = try answer(Scenario().setting("x", by: ["w"]) { $0[0] / 100 })
        for i in x.indices { #expect(policy[i, 1] == w[i] / 100) }
        let both = try answer(Scenario().setting("x", to: 2).setting("m", by: ["x"]) { 3 * $0[0] })
        for i in x.indices { #expect(both[i, 1] == 2 && both[i, 2] == 6) }
    }

    @Test func twoEditsOfOneRowWhereOneReplacesAreAnError() throws {
        let half = (0..<300).map { $0 < 150 }
        _ = try answer(Scenario().setting("m", to: 1, rows: half).shifting("m", by: 1, rows: half.map(!)))
        _ = try answer(Scenario().setting("m", to: 1, when: .init(["x"]) { $0[0] > 0 }).setting("m", to: 2, when: .init(["x"]) { $0[0] <= 0 }))
        for scenario in [Scenario().setting("m", to: 1).setting("m", to: 2), Scenario().setting("m", to: 1).shifting("m", by: 1),
                         Scenario().setting("m", to: 1, rows: half).shifting("m", by: 1)] {
            let error = #expect(throws: EngineError.self) { try answer(scenario) }
            #expect(error?.kind == .value && error?.message.contains("row 0 of m") == true)
        }
    }

    @Test func mistakesAreNamed() throws {
        func kind(_ scenario: Scenario) -> EngineError.Kind? {
            do {
                _ = try answer(scenario)
                return nil
            } catch {
                return (error as? EngineError)?.kind
            }
        }
        #expect(kind(Scenario().setting("nobody", to: 1)) == .name)
        #expect(kind(Scenario().setting("m", by: ["nobody"]) { $0[0] }) == .name)
        #expect(kind(Scenario().setting("m", to: .constant(.nan))) == .value)
        #expect(kind(Scenario().setting("m", to: .rows([1, 2]))) == .shape)
        #expect(kind(Scenario().setting("m", to: 1, rows: [true])) == .shape)
        #expect(kind(Scenario().setting("z", to: 2)) == .value)
        #expect(kind(Scenario().setting("z", to: 0.5)) == .value)
        #expect(kind(Scenario().shifting("z", by: 1)) == .value)
        #expect(kind(Scenario().setting("x", by: ["y"]) { $0[0] }) == .cycle)
        #expect(kind(Scenario().setting("m", by: ["x"]) { _ in .nan }) == .value)
        #expect(kind(Scenario().setting("x", to: 1, when: .init(["m"]) { _ in true })) == .cycle)
    }
}
