import CausalEngine
import Glibc
import Testing

@Suite struct StructuralTrainerTests {
    /// A variable that was set teaches its mechanism nothing, whatever it was set to.
    @Test func rowsInWhichAVariableWasSetDoNotTeachIt() throws {
        func model(_ value: Double) throws -> [Double] {
            var data = try Example.data(rows: 400), isSet = [Bool](repeating: false, count: 2_000)
            for row in 0..<100 {
                data[row, 0] = value        // y: nothing learns from it but its own mechanism
                isSet[5 * row] = true
            }
            var options = StructuralTrainerOptions()
            options.epochs = 5
            let description = try StructuralDescription(Example.graph(), kinds: ["z": .categorical(levels: 2)],
                                                        mechanisms: ["y": .linear, "m": .linear, "z": .linear])
            let trainer = try StructuralTrainer<Float>(description, on: StructuralDataset(data, isSet: isSet), options: options)
            try trainer.run()
            // In units that a set value changes, since they are those of the column, answers agree closely, and without it to the bit.
            return try trainer.model().counterfactual(Example.data(rows: 20, seed: 9), under: Scenario().setting("x", to: 1), member: 0).elements
        }
        let answers = try [model(10), model(11)]
        for (a, b) in zip(answers[0], answers[1]) { #expect(abs(a - b) < 0.5) }
    }

    @Test func missingValuesAreLeftOut() throws {
        var data = try Example.data(rows: 400)
        for row in 0..<50 { data[row, row % 5] = .nan }
        let description = try StructuralDescription(Example.graph(), kinds: ["z": .categorical(levels: 2)], mechanisms: ["y": .linear, "m": .linear, "z": .linear])
        let trainer = try StructuralTrainer<Float>(description, on: StructuralDataset(data))
        try trainer.run()
        #expect(try trainer.model().sample(rows: 1_000, seed: 1).elements.allSatisfy(\.isFinite))
    }

    @Test func automaticChoosesByLikelihood() throws {
        var options = StructuralTrainerOptions()
        options.epochs = 60
        options.seed = 2
        let description = try StructuralDescription(Example.graph(), kinds: ["z": .categorical(levels: 2)])
        var data = try Example.data(rows: 2_000)
        // The width of y's noise depends on x as no additive mechanism can say.
        for row in 0..<data.rows { data[row, 0] = 3 * data[row, 2] + exp(data[row, 1]) * data[row, 3] / 100 }
        let trainer = try StructuralTrainer<Float>(description, on: StructuralDataset(data), options: options)
        while !(try trainer.run(seconds: 0.05)) { #expect(trainer.progress < 1) }
        #expect(trainer.progress == 1)
        // m is a bend of x plus noise.
        #expect(trainer.description.mechanisms[2] != .linear && trainer.description.mechanisms[2] != .automatic)
        #expect(["location_scale", "flow"].contains(trainer.description.mechanisms[0].name))
    }

    @Test func mistakesAreNamed() throws {
        let data = try StructuralDataset(Example.data(rows: 20)), graph = try Example.graph()
        #expect(throws: EngineError.self) { try StructuralDescription(graph, mechanisms: ["nobody": .linear]) }
        #expect(throws: EngineError.self) { try StructuralDescription(graph, mechanisms: ["y": .softmax()]) }
        #expect(throws: EngineError.self) { try StructuralDescription(graph, kinds: ["z": .categorical(levels: 1)]) }
        let cyclic = try Graph(variables: ["a", "b"], edges: [("a", "b"), ("b", "a")])
        #expect(throws: EngineError.self) { try StructuralDescription(cyclic) }
        let other = try StructuralDescription(Graph(variables: ["a", "b"], edges: [("a", "b")]))
        let error = #expect(throws: EngineError.self) { try StructuralTrainer<Float>(other, on: data) }
        #expect(error?.kind == .shape)
        var bad = try Example.data(rows: 20)
        bad[4, 4] = 2
        let categorical = try StructuralDescription(graph, kinds: ["z": .categorical(levels: 2)])
        let badValue = #expect(throws: EngineError.self) { try StructuralTrainer<Float>(categorical, on: StructuralDataset(bad)) }
        #expect(badValue?.message.contains("z is 2.0 in row 4") == true)
    }
}
