import CausalEngine
import CausalKernels
import Testing

@Suite(.serialized) struct TrainerTests {
    private func data(_ rows: Int, seed: UInt64 = 1) throws -> (x: Matrix<Float>, y: Matrix<Float>) {
        var random = TestRandom(seed)
        let x = try Matrix<Float>(rows: rows, columns: 3, (0..<3 * rows).map { _ in Float(random.number()) })
        let y = try Matrix<Float>(rows: rows, columns: 1, (0..<rows).map { x[$0, 0] + 2 * x[$0, 1] - 3 * x[$0, 2] })
        return (x, y)
    }

    private func model(_ seed: UInt64 = 0) throws -> Model<Float> { try Model(.mlp(inputs: 3, hidden: [16, 16], outputs: 1), seed: seed) }

    @Test func learnsFromAnExperiment() throws {
        var (x, y) = try data(800)
        // Half of the rows come from do(x2 = 0.5); the x2 that was recorded is that from before, or missing.
        for row in 0..<400 {
            y[row, 0] = x[row, 0] + 2 * 0.5 - 3 * x[row, 2]
            if row % 2 == 0 { x[row, 1] = .nan }
        }
        let experiment = try Intervention<Float>().setting(site: 0, mask: (0..<800).map { [false, $0 < 400, false] },
                                                           values: Matrix(rows: 1, columns: 3, [.nan, 0.5, .nan]))
        let model = try model()
        let trainer = try Trainer(model, on: Dataset(x: x, y: y, intervention: experiment), options: TrainerOptions(epochs: 60))
        #expect(try trainer.run() == .finished)
        #expect(trainer.history.count == 60)
        #expect(trainer.history.last!.loss < 0.01)
        let zero = try model.predict([[0, 0, 0]], under: Intervention().setting(site: 0, mask: [false, true, false], values: [0, 1, 0]))
        #expect(abs(zero[0, 0] - 2) < 0.2)
    }

    @Test func sameSeedSameBitsForEveryNumberOfThreads() throws {
        let (x, y) = try data(500)
        let before = Threads.count
        defer { try! Threads.set(before) }
        func train(_ threads: Int, _ seed: UInt64, inPieces: Bool = false, hidden: [Int]) throws -> [Float] {
            try Threads.set(threads)
            let model = try Model<Float>(.mlp(inputs: 3, hidden: hidden, outputs: 1), seed: 0)
            let trainer = try Trainer(model, on: Dataset(x: x, y: y), options: TrainerOptions(epochs: 2, batchSize: 250, seed: seed))
            while try trainer.run(seconds: inPieces ? 0 : .infinity) == .running {}
            return model.parameters!.values
        }
        // Wide enough for BLAS in chunks and for other threads.
        let wide = [300, 300]
        let one = try train(1, 0, hidden: wide)
        for threads in [2, 3, 16] { #expect(try train(threads, 0, hidden: wide) == one) }
        #expect(try train(2, 0, inPieces: true, hidden: wide) == one)
        #expect(try train(1, 1, hidden: wide) != one)
        #expect(try train(4, 0, hidden: [16]) == train(1, 0, hidden: [16]))
    }

    @Test func earlyStoppingRestoresTheBestWeights() throws {
        let (x, y) = try data(40)
        var (vx, vy) = try data(40, seed: 2)
        // Validation rows that training makes worse, sooner or later.
        for row in 0..<40 { vy[row, 0] = -vy[row, 0] }
        vx[0, 0] = 0
        let model = try model()
        let options = TrainerOptions(epochs: 200, batchSize: nil, patience: 5)
        let trainer = try Trainer(model, on: Dataset(x: x, y: y), validation: Dataset(x: vx, y: vy), options: options)
        #expect(try trainer.run() == .stoppedEarly)
        let best = trainer.history.map { $0.validationLoss! }.min()!
        #expect(trainer.history.count < 200)
        #expect(trainer.history.last!.validationLoss! > best)
        let prediction = try model.predict(vx)
        let now = try Loss.standard(.mse).evaluate(Loss.Arguments(prediction: prediction, target: vy)).value
        #expect(abs(now - best) < 1e-9)
    }

    @Test func divergenceKeepsTheLastFiniteWeights() throws {
        var (x, y) = try data(64)
        y[3, 0] = 1e30
        x[3, 0] = 1e18
        let model = try model()
        let start = model.parameters!.values
        let trainer = try Trainer(model, on: Dataset(x: x, y: y), options: TrainerOptions(optimizer: OptimizerOptions(.sgd(momentum: 0.9), learningRate: 1e10), epochs: 50))
        #expect { try trainer.run() } throws: { ($0 as? EngineError)?.kind == .diverged }
        #expect(trainer.state == .diverged)
        #expect(model.parameters!.values.allSatisfy { $0.isFinite })
        if trainer.history.isEmpty { #expect(model.parameters!.values == start) }
        #expect(try trainer.run() == .diverged)
    }

    @Test func schedules() throws {
        let (x, y) = try data(32)
        func rates(_ schedule: Schedule) throws -> [Double] {
            let trainer = try Trainer(try model(), on: Dataset(x: x, y: y), options: TrainerOptions(optimizer: OptimizerOptions(learningRate: 0.1), epochs: 4, schedule: schedule))
            try trainer.run()
            return trainer.history.map(\.learningRate)
        }
        #expect(try rates(.constant) == [0.1, 0.1, 0.1, 0.1])
        for (a, b) in zip(try rates(.step(epochs: 2, factor: 0.5)), [0.1, 0.1, 0.05, 0.05]) { #expect(abs(a - b) < 1e-15) }
        for (a, b) in zip(try rates(.cosine), [0.1, 0.08535533905932738, 0.05, 0.014644660940672627]) { #expect(abs(a - b) < 1e-15) }
    }

    @Test func lossSeesTheMaskOfTheOutput() throws {
        var (x, y) = try data(64)
        y[5, 0] = .nan
        x[0, 0] = 0
        let mask = (0..<64).map { [$0 == 5] }
        let censored = try Intervention<Float>().setting(site: 3, mask: mask, values: [[0]])
        let options = TrainerOptions(loss: try .sum([(1, .intervention(.mse))]), epochs: 3)
        let trainer = try Trainer(try model(), on: Dataset(x: x, y: y, intervention: censored), options: options)
        #expect(try trainer.run() == .finished)
        // The plain loss would have to look at it.
        #expect(throws: EngineError(.value, "training data: y is nan in row 5, column 0, expected a finite number")) {
            try Trainer(try model(), on: Dataset(x: x, y: y, intervention: censored), options: TrainerOptions())
        }
    }

    @Test func refusesWhatItCannotLearnFrom() throws {
        let (x, y) = try data(10)
        var hole = x
        hole[7, 2] = .infinity
        #expect { try Trainer(try model(), on: Dataset(x: hole, y: y), options: TrainerOptions()) } throws: {
            ($0 as? EngineError)?.message.hasPrefix("training data: x is inf in row 7, column 2") == true
        }
        // Fine where a later layer is set as a whole in that row.
        let covered = try Intervention<Float>().setting(site: 1, mask: (0..<10).map { row in [Bool](repeating: row == 7, count: 16) },
                                                        values: Matrix(rows: 1, columns: 16, repeating: 0.5))
        #expect(try Trainer(try model(), on: Dataset(x: hole, y: y, intervention: covered), options: TrainerOptions(epochs: 2)).run() == .finished)
        let none = try Dataset<Float>(x: Matrix(rows: 0, columns: 3, []), y: Matrix(rows: 0, columns: 1, []))
        #expect(throws: EngineError(.shape, "training data: no rows, expected at least one")) { try Trainer(try model(), on: none, options: TrainerOptions()) }
        for options in [TrainerOptions(epochs: 0), TrainerOptions(batchSize: 0), TrainerOptions(patience: -1), TrainerOptions(schedule: .step(epochs: 0, factor: 1)),
                        TrainerOptions(optimizer: OptimizerOptions(learningRate: .nan)), TrainerOptions(optimizer: OptimizerOptions(clipNorm: -1))] {
            #expect { try Trainer(try model(), on: Dataset(x: x, y: y), options: options) } throws: { ($0 as? EngineError)?.kind == .value }
        }
    }

    @Test func cancels() throws {
        let (x, y) = try data(64)
        let trainer = try Trainer(try model(), on: Dataset(x: x, y: y), options: TrainerOptions(epochs: 1000, onEpoch: { epoch, _ in epoch < 4 }))
        #expect(try trainer.run() == .cancelled)
        #expect(trainer.history.count == 5)
        let other = try Trainer(try model(), on: Dataset(x: x, y: y), options: TrainerOptions())
        other.cancel()
        #expect(try other.run() == .cancelled)
    }

    @Test func backwardAfterTheParametersChangedIsAnError() throws {
        let model = try model()
        let trace = try model.makeTrace()
        #expect { try model.backward([[1]], trace: trace) } throws: { ($0 as? EngineError)?.kind == .state }
        _ = try model.forward([[1, 2, 3]], trace: trace)
        _ = try model.backward([[1]], trace: trace)
        try model.parameters!.set(model.parameters!.values)
        #expect { try model.backward([[1]], trace: trace) } throws: { ($0 as? EngineError)?.kind == .state }
    }

    @Test func severalTracesAtOnce() throws {
        let model = try model()
        let factual = try model.makeTrace(), counterfactual = try model.makeTrace()
        let action = try Intervention<Float>().setting(site: 1, mask: [Bool](repeating: true, count: 16), values: [Float](repeating: 0.1, count: 16))
        _ = try model.forward([[1, 2, 3]], trace: factual)
        _ = try model.forward([[1, 2, 3]], under: action, trace: counterfactual)
        let a = try model.backward([[1]], trace: factual), b = try model.backward([[1]], trace: counterfactual)
        _ = try model.forward([[1, 2, 3]], trace: factual)
        #expect(try model.backward([[1]], trace: factual).parameters == a.parameters)
        #expect(a.parameters != b.parameters)
        #expect(b.inputs == [[0, 0, 0]])
    }
}
