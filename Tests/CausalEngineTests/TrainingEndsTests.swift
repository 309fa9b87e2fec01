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
            let left = patience == nil ? "the loss of rows 0 to 63 is inf; the weights are those from before the step that led there ("
                : "the loss at its end is inf; the weights are those of the end of epoch 0 ("
            return (error as? EngineError)?.kind == .diverged && "\(error)".contains(left)
        }
        #expect(trainer.state == .diverged)
        #expect(trainer.history.count > 10)
        let once = try linear()
        var few = options
        few.epochs = patience == nil ? trainer.history.count - 1 : 1
        try Trainer(once, on: Dataset(x: x, y: y), options: few).run()
        #expect(model.parameters!.values == once.parameters!.values)
    }

    /// Whatever overflows, the model is left with the weights of the last step, to the bit: one of 60 numbers is so large that the loss does, that only
    /// the gradient does, or that only the weights do.
    @Test(arguments: [OptimizerOptions.Method.sgd(momentum: 0), .sgd(momentum: 0.9), .adam, .adamW], [nil, 1.0])
    func divergenceLeavesTheWeightsOfTheStepBefore(_ method: OptimizerOptions.Method, _ clipNorm: Double?) throws {
        let clips = clipNorm != nil
        for (row, x0, y0, rate, what) in [(43, 1.0, 1e200, 0.01, "the loss of rows"), (43, 1e200, 0.0, 0.01, ""),
                                          (3, 0.5, 1e3, 1e308, clips ? "" : "the step on rows"), (43, 1e150, 1e150, 1e-9, "")] {
            for hidden in [[Int](), [4, 200]] {
                var (x, y) = try data(60)
                x[row, 0] = x0
                y[row, 0] = y0
                let model = try Model<Double>(.mlp(inputs: 3, hidden: hidden, outputs: 1), seed: 0)
                let optimizer = OptimizerOptions(method, learningRate: rate, weightDecay: 0.1, clipNorm: clipNorm)
                let options = TrainerOptions(optimizer: optimizer, epochs: 50, batchSize: 20, shuffles: false)
                let trainer = try Trainer(model, on: Dataset(x: x, y: y), options: options)
                var before = model.parameters!.values, earlier = before, message = ""
                do {
                    while try trainer.run(seconds: 0) == .running { (earlier, before) = (before, model.parameters!.values) }
                } catch {
                    message = error.message
                }
                let left = model.parameters!.values
                #expect(left.allSatisfy { $0.isFinite })
                guard trainer.state == .diverged else {
                    #expect(what.isEmpty)
                    continue
                }
                #expect(left == (message.contains("that led there") ? earlier : before))
                #expect(message.contains(what) && message.contains("; the weights are those from before "))
            }
        }
    }

    @Test func divergenceAtTheEndOfAnEpochLeavesItsWeights() throws {
        let (x, y) = try data(20), far = try Matrix<Double>(rows: 1, columns: 3, repeating: 1e200)
        func trained(patience: Int?) throws -> [Double] {
            let model = try linear(), options = TrainerOptions(epochs: 2, patience: patience)
            let trainer = try Trainer(model, on: Dataset(x: x, y: y), validation: Dataset(x: far, y: Matrix(rows: 1, columns: 1, [0])), options: options)
            let left = patience == nil ? "of its end" : "it began with"
            #expect { try trainer.run() } throws: { "\($0)".contains("the loss at its end is inf; the weights are those \(left) (") }
            #expect(trainer.state == .diverged)
            return model.parameters!.values
        }
        let once = try linear()
        try Trainer(once, on: Dataset(x: x, y: y), options: TrainerOptions(epochs: 1)).run()
        let (end, start) = (once.parameters!.values, try linear().parameters!.values)
        #expect(try trained(patience: nil) == end)
        #expect(try trained(patience: 3) == start)
    }

    /// So many parameters that threads share the step: the same bits as fewer at a time, and one step back as well.
    @Test(arguments: [OptimizerOptions.Method.sgd(momentum: 0.9), .adam, .adamW]) func manyParametersStepAsFewDo(_ method: OptimizerOptions.Method) throws {
        let count = 160_000, few = 20_000
        let many = try Parameters<Float>(count: count), optimizer = try Optimizer<Float>(OptimizerOptions(method, weightDecay: 0.1), count: count)
        var random = TestRandom(5)
        let gradients = (0..<3).map { _ in (0..<count).map { _ in Float(random.number()) } }
        for gradient in gradients { try optimizer.step(many, gradients: gradient) }
        for first in stride(from: 0, to: count, by: few) {
            let part = try Parameters<Float>(count: few), own = try Optimizer<Float>(OptimizerOptions(method, weightDecay: 0.1), count: few)
            for gradient in gradients { try own.step(part, gradients: Array(gradient[first..<first + few])) }
            #expect(part.values == Array(many.values[first..<first + few]))
        }
        let before = many.values
        var bad = gradients[0]
        bad[140_001] = .nan
        #expect(throws: EngineError(.diverged, "optimizer: parameter 140001 would be nan; the parameters are as they were before the step")) {
            try optimizer.step(many, gradients: bad)
        }
        #expect(many.values == before)
    }

    /// An optimiser on its own does not leave half a step either.
    @Test(arguments: [OptimizerOptions.Method.sgd(momentum: 0.9), .adam]) func anOptimiserRefusesAStepThatIsNotFinite(_ method: OptimizerOptions.Method) throws {
        let parameters = try Parameters<Float>(count: 11), optimizer = try Optimizer<Float>(OptimizerOptions(method), count: 11)
        try optimizer.step(parameters, gradients: (0..<11).map { Float($0) - 5 })
        let before = parameters.values
        #expect(throws: EngineError(.diverged, "optimizer: parameter 9 would be nan; the parameters are as they were before the step")) {
            try optimizer.step(parameters, gradients: (0..<11).map { $0 == 9 ? .nan : 1 })
        }
        #expect(parameters.values == before)
    }

    /// A number that becomes unusable while training runs: an error that only an engine, or a caller who alters borrowed rows, can cause.
    @Test func anErrorInTheMiddleEndsTheRun() throws {
        let (x, _) = try data(8)
        let classes = try Storage<Double>(count: 8, of: "classes")
        let model = try Model<Double>(.mlp(inputs: 3, hidden: [], outputs: 2), seed: 0)
        try x.withView { x throws(EngineError) in
            let rows = Dataset(borrowing: x, MatrixView(UnsafePointer(classes.pointer), rows: 8, columns: 1), intervention: nil)
            let trainer = try Trainer(model, on: rows, options: TrainerOptions(loss: .standard(.crossEntropy), batchSize: 4))
            while trainer.history.count < 2 { try trainer.run(seconds: 0) }
            let before = model.parameters!.values
            classes.pointer[5] = 7
            classes.pointer[2] = 7
            #expect { try trainer.run() } throws: { ($0 as? EngineError)?.kind == .value }
            #expect(trainer.state == .cancelled)
            #expect(model.parameters!.values == before)
            #expect(throws: Never.self) { try trainer.run() }
            #expect(trainer.history.count == 2)
        }
    }

    @Test func theLearningRateStaysFinite() throws {
        let (x, y) = try data(8)
        func trainer(_ factor: Double, epochs: Int) throws -> Trainer<Double> {
            try Trainer(try linear(), on: Dataset(x: x, y: y),
                        options: TrainerOptions(optimizer: OptimizerOptions(learningRate: 1e3), epochs: epochs, schedule: .step(epochs: 1, factor: factor)))
        }
        #expect(throws: EngineError(.value, "schedule: the learning rate of epoch 1 is inf, expected a finite one")) { try trainer(1e308, epochs: 2) }
        #expect(throws: EngineError.self) { try trainer(2, epochs: 100_000) }
        #expect(throws: Never.self) { try trainer(2, epochs: 100) }
        #expect(throws: Never.self) { try trainer(0, epochs: 100) }
        #expect(try trainer(1e308, epochs: 1).run() == .finished)
    }
}
