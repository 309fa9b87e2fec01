import CausalEngine
import CausalKernels
import Testing

/// Many trainers as one call.
@Suite(.serialized) struct TrainersTests {
    /// y = x1 + 2 x2 - 3 x3, of which one row in three was seen under do(x2 = 0.5).
    private func data<Scalar: EngineScalar>(_ rows: Int, seed: UInt64 = 1) throws -> Dataset<Scalar> {
        var random = TestRandom(seed)
        let x = try Matrix<Scalar>(rows: rows, columns: 3, (0..<3 * rows).map { _ in Scalar(random.number()) })
        let y = try Matrix<Scalar>(rows: rows, columns: 1, (0..<rows).map { x[$0, 0] + 2 * ($0 % 3 == 0 ? 0.5 : x[$0, 1]) - 3 * x[$0, 2] })
        let experiment = try Intervention<Scalar>().setting(site: 0, mask: (0..<rows).map { [false, $0 % 3 == 0, false] },
                                                            values: Matrix(rows: 1, columns: 3, [0, 0.5, 0]))
        return try Dataset(x: x, y: y, intervention: experiment)
    }

    private func model<Scalar: EngineScalar>(_ seed: UInt64, hidden: [Int] = [16, 16]) throws -> Model<Scalar> {
        try Model(.mlp(inputs: 3, hidden: hidden, outputs: 1), seed: seed)
    }

    private func onThreads<Result>(_ count: Int, _ body: () throws -> Result) throws -> Result {
        let before = Threads.count
        try Threads.set(count)
        defer { try! Threads.set(before) }
        return try body()
    }

    /// Of both precisions, with numbers of epochs of their own, and the last wide enough for threads within.
    private func mixed(_ seeds: Range<UInt64>) throws -> (trainers: [any AnyTrainer], weights: () -> [[Double]]) {
        let floats: [Model<Float>] = try seeds.map { try model($0) } + [try model(99, hidden: [300, 300])]
        let doubles: [Model<Double>] = try seeds.map { try model($0, hidden: [8]) }
        func options(_ k: Int) -> TrainerOptions { TrainerOptions(epochs: 2 + k % 4, batchSize: 150, seed: UInt64(k)) }
        let narrow: [any AnyTrainer] = try floats.enumerated().map { try Trainer($1, on: data(300), options: options($0)) }
        let wide: [any AnyTrainer] = try doubles.enumerated().map { try Trainer($1, on: data(300), options: options($0)) }
        return (narrow + wide, { floats.map { $0.parameters!.values.map(Double.init) } + doubles.map { $0.parameters!.values } })
    }

    @Test(arguments: [1, 2, 3, 16]) func sameBitsAsOneByOne(_ threads: Int) throws {
        let alone = try mixed(0..<10), together = try mixed(0..<10), inPieces = try mixed(0..<10)
        for trainer in alone.trainers { _ = try trainer.run(seconds: .infinity) }
        try onThreads(threads) { () throws in
            #expect(try Trainers.run(together.trainers).isEmpty)
            var calls = 0
            while inPieces.trainers.contains(where: { $0.state == .running }), calls < 10_000 {
                #expect(try Trainers.run(inPieces.trainers, seconds: 0).isEmpty)
                calls += 1
            }
        }
        for trainers in [together.trainers, inPieces.trainers] {
            #expect(trainers.allSatisfy { $0.state == .finished })
            #expect(trainers.map { $0.history.map(\.loss) } == alone.trainers.map { $0.history.map(\.loss) })
        }
        #expect(together.weights() == alone.weights() && inPieces.weights() == alone.weights())
    }

    @Test func oneThatDivergesLeavesTheOthersAlone() throws {
        let models: [Model<Float>] = try (0..<6).map { try model($0) }, alone: [Model<Float>] = try (0..<6).map { try model($0) }
        func trainer(_ k: Int, _ models: [Model<Float>]) throws -> Trainer<Float> {
            let options = OptimizerOptions(.sgd(momentum: 0.9), learningRate: k == 2 || k == 4 ? 1e20 : 0.01)
            return try Trainer(models[k], on: data(300), options: TrainerOptions(optimizer: options, epochs: 5))
        }
        let trainers = try (0..<6).map { try trainer($0, models) }
        let failures = try onThreads(2) { try Trainers.run(trainers) }
        #expect(failures.keys.sorted() == [2, 4] && failures.values.allSatisfy { $0.kind == .diverged })
        #expect(trainers.map(\.state) == (0..<6).map { $0 == 2 || $0 == 4 ? .diverged : .finished })
        for k in [0, 1, 3, 5] {
            try trainer(k, alone).run()
            #expect(models[k].parameters!.values == alone[k].parameters!.values)
        }
        #expect(models.allSatisfy { $0.parameters!.values.allSatisfy(\.isFinite) })
        #expect(try Trainers.run(trainers).isEmpty)      // it is told once
    }

    @Test func oneIsCancelled() throws {
        let trainers: [Trainer<Float>] = try (0..<3).map { try Trainer(model(UInt64($0)), on: data(60), options: TrainerOptions(epochs: 3)) }
        trainers[1].cancel()
        #expect(try Trainers.run(trainers).isEmpty)
        #expect(trainers.map(\.state) == [.finished, .cancelled, .finished] && trainers[1].history.isEmpty)
        #expect(try Trainers.run([]).isEmpty)
    }

    @Test func refusesParametersThatTwoWouldChange() throws {
        let one: Model<Float> = try model(0), other: Model<Float> = try model(1), options = TrainerOptions(epochs: 3)
        let first = try Trainer(one, on: data(60), options: options), second = try Trainer(one, on: data(60), options: options)
        let third = try Trainer(other, on: data(60), options: options)
        let error = EngineError(.value, "trainers[2] changes the same parameters as trainers[0], expected each to have its own")
        #expect(throws: error) { try Trainers.run([first, third, second]) }
        #expect(throws: error) { try Trainers.run([first, third, first]) }
        let stream = try Trainer<Float>(streaming: model(2), options: options)
        #expect { try Trainers.run([first, stream]) } throws: { ($0 as? EngineError)?.kind == .state }
        #expect(first.history.isEmpty && third.history.isEmpty && third.rowsDone == 0)

        // Overlapping buffers of the caller's, the larger of which begins first.
        var buffer = [Float](repeating: 0.1, count: one.layout.count + 5)
        try buffer.withUnsafeMutableBufferPointer { buffer in
            func parameters(from first: Int) -> Parameters<Float> { Parameters(borrowing: UnsafeMutableBufferPointer(rebasing: buffer[first..<first + one.layout.count])) }
            let a = try Trainer(one, on: data(60), options: options, parameters: parameters(from: 0))
            let b = try Trainer(one, on: data(60), options: options, parameters: parameters(from: 5))
            #expect { try Trainers.run([b, third, a]) } throws: { "\($0)".hasPrefix("trainers[2] changes the same parameters as trainers[0]") }
            // Of one model, but of buffers of their own.
            #expect(try Trainers.run([b, first]).isEmpty)
        }
    }
}
