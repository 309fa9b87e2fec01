@testable import CausalEngine
import CausalKernels
import Glibc
import Testing

@Suite struct StructuralCheckpointTests {
    private static func copy<Scalar: EngineScalar>(_ model: StructuralModel<Scalar>) throws -> StructuralModel<Scalar> {
        switch try StructuralCheckpoint(decoding: StructuralCheckpoint.encode(model)).model {
        case .float(let copy): return try #require(copy as? StructuralModel<Scalar>)
        case .double(let copy): return try #require(copy as? StructuralModel<Scalar>)
        }
    }

    /// A copy says the same, to the bit, to everything that can be asked.
    private static func expectSame<Scalar: EngineScalar>(_ model: StructuralModel<Scalar>) throws {
        let copy = try copy(model), rows = try Example.data(rows: 300, seed: 9)
        #expect(copy.description == model.description && copy.members == model.members)
        for (a, b) in zip(copy.mechanisms.list, model.mechanisms.list) { #expect(a.scale == b.scale && a.law == b.law && a.code == b.code) }
        let scenario = Scenario().setting("x", to: 1).shifting("m", by: 0.5)
        #expect(try copy.sample(rows: 500, under: scenario, seed: 7).elements == model.sample(rows: 500, under: scenario, seed: 7).elements)
        for member in 0..<model.members {
            #expect(try copy.counterfactual(rows, under: scenario, member: member, seed: 5).elements
                == model.counterfactual(rows, under: scenario, member: member, seed: 5).elements)
            #expect(try copy.abduct(rows, member: member, seed: 5).elements == model.abduct(rows, member: member, seed: 5).elements)
        }
        #expect(try StructuralCheckpoint.encode(copy) == StructuralCheckpoint.encode(model))
    }

    @Test(arguments: CounterfactualTests.mechanisms) func copiesAnswerToTheBit(_ mechanism: Mechanism) throws {
        try StructuralCheckpointTests.expectSame(Example.model(Float.self, mechanism: mechanism, rows: 80) { $0.epochs = 3; $0.members = 3; $0.resamples = true })
        try StructuralCheckpointTests.expectSame(Example.model(Double.self, mechanism: mechanism, rows: 80) { $0.epochs = 3 })
    }

    /// Hidden causes, roots alone, levels, noise that is not known, and a scale that no short decimal is.
    @Test func whateverAModelIsMadeOfComesBack() throws {
        let graph = try Graph(variables: ["a.b", "ä \"1\"", "c"], edges: [("a.b", "c"), ("ä \"1\"", "c")]).confounding([(0, 1)])
        let description = try StructuralDescription(graph, kinds: ["ä \"1\"": .categorical(levels: 3), "c": .categorical(levels: 4)],
                                                    mechanisms: ["c": .softmax(hidden: [3], activation: .gelu)])
        let rows: [[Double]] = (0..<40).map { row in
            let number = Double(row)
            return [0.1 * number / 3, Double(row % 3), row == 5 ? Double.nan : Double(row % 4)]
        }
        var options = StructuralTrainerOptions()
        options.epochs = 2
        let trainer = try StructuralTrainer<Float>(description, on: StructuralDataset(Matrix(rows)), options: options)
        try trainer.run()
        let model = try trainer.model(), copy = try StructuralCheckpointTests.copy(model)
        #expect(copy.description == model.description && copy.description.graph.confoundedPairs.count == 1)
        #expect(try copy.sample(rows: 100, seed: 3).elements == model.sample(rows: 100, seed: 3).elements)

        let roots = try StructuralTrainer<Double>(StructuralDescription(Graph(variables: ["r"], edges: [])), on: StructuralDataset(Matrix([[0.1], [.nan], [0.3]])))
        try roots.run()
        let lone = try StructuralCheckpointTests.copy(roots.model())
        #expect(try lone.sample(rows: 50, seed: 3).elements == roots.model().sample(rows: 50, seed: 3).elements)
    }

    @Test func filesAndNotes() throws {
        var template = Array("/tmp/causal-structural-XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template))), path = "\(folder)/model"
        let model = try Example.model(mechanism: .linear, rows: 40) { $0.epochs = 1 }
        try StructuralCheckpoint.save(model, to: path, note: "αβ \"note\"")
        #expect(try StructuralCheckpoint(path: path).note == "αβ \"note\"")
        let other = #expect(throws: EngineError.self) { try Checkpoint(path: path) }
        #expect(other?.kind == .file && other?.message.contains("structural") == true && other?.message.contains(path) == true)
        try Checkpoint.save(Model<Float>(.unit(inputs: 1, outputs: 1), seed: 0), to: path)
        #expect(throws: EngineError.self) { try StructuralCheckpoint(path: path) }
        #expect(throws: EngineError(.file, "cannot read \(folder)/none: No such file or directory")) { try StructuralCheckpoint(path: "\(folder)/none") }
    }
}
