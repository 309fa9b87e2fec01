import CausalEngine
import CausalKernels
import Testing

/// How training ends, and which weights are in the model then.
@Suite struct TrainingEndsTests {
    /// y = x1 + 2 x2 - 3 x3.
    private func data(_ rows: Int) throws -> (x: Matrix<Double>, y: Matrix<Double>) {
        var random = TestRandom(1)
        let x = try random.matrix(rows, 3)
        return (x, try Matrix(rows: rows, columns: 1, (0..<rows).map { x[$0, 0] + 2 * x[$0, 1] - 3 * x[$0, 2] }))
    }

    private func linear() throws -> Model<Double> { try Model(.mlp(inputs: 3, hidden: [], outputs: 1), seed: 0) }

    private func loss(_ model: Model<Double>, _ x: Matrix<Double>, _ y: Matrix<Double>) throws -> Double {
        try Loss.standard(.mse).evaluate(Loss.Arguments(prediction: model.predict(x), target: y)).value
    }

    /// A rate at which the loss falls at first and then jumps about, in one batch or in several.
    @Test(arguments: [nil, 16]) func patienceWithoutValidationDataKeepsTheBestWeights(_ batchSize: Int?) throws {
        let (x, y) = try data(64)
        let model = try linear()
        let options = TrainerOptions(optimizer: OptimizerOptions(learningRate: 1.5), epochs: 200, batchSize: batchSize, patience: 5)
        let trainer = try Trainer(model, on: Dataset(x: x, y: y), options: options)
        var atEnd: [Double] = []
        while trainer.history.count < 200, try trainer.run(seconds: 0) == .running {
            if trainer.rowsDone == 0 { atEnd.append(try loss(model, x, y)) }
        }
        #expect(trainer.state == .stoppedEarly)
        let best = try #require(atEnd.min())
        #expect(try loss(model, x, y) == best)
        #expect(trainer.history.count == atEnd.firstIndex(of: best)! + 6)
        for (epoch, loss) in zip(trainer.history, atEnd) { #expect(abs((epoch.validationLoss ?? .nan) - loss) <= 1e-12 * loss) }
    }

    @Test(arguments: [nil, 1000]) func divergenceLeavesTheBestWeightsWherePatienceIsGiven(_ patience: Int?) throws {
        let (x, y) = try data(64)
        let model = try linear()
        let options = TrainerOptions(optimizer: OptimizerOptions(.sgd(momentum: 0), learningRate: 10), epochs: 10_000, batchSize: nil, patience: patience)
        let trainer = try Trainer(model, on: Dataset(x: x, y: y), options: options)
        #expect { try trainer.run() } throws: { error in
            let left = patience == nil ? trainer.history.count - 1 : 0
            return (error as? EngineError)?.kind == .diverged && "\(error)".contains("the weights are those of the end of epoch \(left)")
        }
        #expect(trainer.state == .diverged)
        #expect(trainer.history.count > 10)
        let once = try linear()
        var few = options
        few.epochs = patience == nil ? trainer.history.count : 1
        try Trainer(once, on: Dataset(x: x, y: y), options: few).run()
        #expect(model.parameters!.values == once.parameters!.values)
    }
}
