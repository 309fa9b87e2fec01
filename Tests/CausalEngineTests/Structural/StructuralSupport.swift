import CausalKernels
import CausalEngine
import Glibc

/// x -> m -> y, x -> y, m -> z, and w that nothing has to do with, of every kind of noise.
enum Example {
    static func graph() throws -> Graph {
        try Graph(variables: ["y", "x", "m", "w", "z"], edges: [("x", "m"), ("x", "y"), ("m", "y"), ("m", "z")])
    }

    static func data(rows: Int, seed: UInt64 = 1) throws -> Matrix<Double> {
        var random = Random(seed: seed, purpose: .noise, index: 7)
        func normal() -> Double { (-2 * log(random.openUniform())).squareRoot() * cos(2 * Double.pi * random.openUniform()) }
        return try Matrix((0..<rows).map { _ in
            let x = normal(), m = 2 * tanh(x) + 0.3 * normal(), y = 10 + 3 * m - x * x + (0.2 + 0.1 * abs(x)) * normal()
            return [y, x, m, 100 * normal(), m + normal() > 0 ? 1 : 0]
        })
    }

    static func model<Scalar: EngineScalar>(_: Scalar.Type = Float.self, mechanism: Mechanism = .additive(hidden: [8]), rows: Int = 400,
                                            change: (inout StructuralTrainerOptions) -> Void = { _ in }) throws -> StructuralModel<Scalar> {
        var options = StructuralTrainerOptions()
        options.epochs = 30
        options.seed = 3
        change(&options)
        let description = try StructuralDescription(graph(), kinds: ["z": .categorical(levels: 2)], mechanisms: ["y": mechanism, "m": mechanism])
        let trainer = try StructuralTrainer<Scalar>(description, on: StructuralDataset(data(rows: rows)), options: options)
        try trainer.run()
        return try trainer.model()
    }
}
