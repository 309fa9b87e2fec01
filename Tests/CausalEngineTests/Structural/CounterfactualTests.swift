import CausalEngine
import Testing

@Suite struct CounterfactualTests {
    static let mechanisms: [Mechanism] = [.linear, .additive(hidden: [8]), .locationScale(hidden: [8]), .flow(hidden: [8], pieces: 6)]

    /// Had x been what it was, everything would have been as it was.
    @Test(arguments: mechanisms) func theFactualValueGivesTheFactualRow(_ mechanism: Mechanism) throws {
        let model = try Example.model(mechanism: mechanism), rows = try Example.data(rows: 300, seed: 9)
        let x = (0..<rows.rows).map { rows[$0, 1] }
        for scenario in [Scenario().setting("x", to: .rows(x)), Scenario().shifting("x", by: 0), Scenario().scaling("m", by: 1)] {
            let answer = try model.counterfactual(rows, under: scenario, member: 0)
            for (a, b) in zip(answer.elements, rows.elements) { #expect(abs(a - b) <= 1e-6 * max(1, abs(b))) }
        }
    }

    /// do(m) changes y and z, and nothing else by a bit.
    @Test(arguments: mechanisms) func onlyEffectsChange(_ mechanism: Mechanism) throws {
        let model = try Example.model(mechanism: mechanism), rows = try Example.data(rows: 300, seed: 9)
        let answer = try model.counterfactual(rows, under: Scenario().setting("m", to: 5), member: 0)
        for row in 0..<rows.rows {
            #expect(answer[row, 1] == rows[row, 1] && answer[row, 3] == rows[row, 3])
            #expect(answer[row, 2] == 5)
            #expect(answer[row, 0] != rows[row, 0])
        }
        let before = try model.sample(rows: 500, seed: 4), after = try model.sample(rows: 500, under: Scenario().setting("m", to: 5), seed: 4)
        for row in 0..<500 { #expect(before[row, 1] == after[row, 1] && before[row, 3] == after[row, 3] && after[row, 2] == 5) }
    }

    /// An edit of one row does not touch its neighbours, whatever chunk they are in.
    @Test func rowsAreIndependent() throws {
        let model = try Example.model(), rows = try Example.data(rows: 600, seed: 9)
        let chosen = (0..<600).map { $0 % 7 == 0 }
        let answer = try model.counterfactual(rows, under: Scenario().setting("x", to: 1, rows: chosen), member: 0)
        let all = try model.counterfactual(rows, under: Scenario().setting("x", to: 1), member: 0)
        for row in 0..<600 { for v in 0..<5 { #expect(answer[row, v] == (chosen[row] ? all : rows)[row, v]) } }
    }

    /// A value that is cut off by do() may be missing.
    @Test func whatIsCutMayBeMissing() throws {
        let model = try Example.model()
        var rows = try Example.data(rows: 10, seed: 9)
        rows[3, 1] = .nan
        rows[3, 2] = .nan
        let answer = try model.counterfactual(rows, under: Scenario().setting("z", to: 1), member: 0)
        #expect(answer[3, 4] == 1 && answer[3, 0] == rows[3, 0] && answer[3, 1].isNaN)
        let error = #expect(throws: EngineError.self) { try model.counterfactual(rows, under: Scenario().setting("x", to: 1), member: 0) }
        #expect(error?.kind == .value && error?.message.contains("m is missing in row 3") == true)
    }

    /// What was set stays set, and its noise is not known.
    @Test func whatWasSetStaysSet() throws {
        let model = try Example.model(), rows = try Example.data(rows: 10, seed: 9)
        var isSet = [Bool](repeating: false, count: 50)
        isSet[5 * 2 + 2] = true     // m in row 2
        let answer = try model.counterfactual(rows, isSet: isSet, under: Scenario().setting("x", to: 3), member: 0)
        #expect(answer[2, 2] == rows[2, 2] && answer[3, 2] != rows[3, 2])
        #expect(throws: EngineError.self) { try model.counterfactual(rows, isSet: isSet, under: Scenario().shifting("m", by: 1), member: 0) }
    }

    @Test func theSameBitsOnAnyNumberOfThreads() throws {
        let rows = try Example.data(rows: 5_000, seed: 9), before = Threads.count
        defer { try? Threads.set(before) }
        func answers(_ threads: Int) throws -> [Double] {
            try Threads.set(threads)
            let model = try Example.model(mechanism: .locationScale(hidden: [32, 32]), rows: 1_000) { $0.members = 3; $0.epochs = 5 }
            return try model.counterfactual(rows, under: Scenario().setting("x", to: 1), member: 2).elements
                + model.sample(rows: 3_000, under: Scenario().shifting("m", by: 1), seed: 5).elements
        }
        let one = try answers(1)
        #expect(try answers(2) == one)
        #expect(try answers(5) == one)
    }
}
