import CausalEngine
import Testing

/// Rows that come batch by batch.
@Suite struct StreamingTests {
    private func rows(_ range: Range<Int>, everywhere: Bool = false) throws -> Dataset<Float> {
        var random = TestRandom(1)
        let all = (0..<300).map { _ in Float(random.number()) }
        let x = try Matrix<Float>(rows: range.count, columns: 3, Array(all[3 * range.lowerBound..<3 * range.upperBound]))
        let y = try Matrix<Float>(rows: range.count, columns: 1, (0..<range.count).map { x[$0, 0] + 2 * x[$0, 1] - 3 * x[$0, 2] })
        var experiment = try Intervention<Float>().setting(site: 0, mask: range.map { [false, $0 % 2 == 0, false] }, values: [[0, 0.5, 0]])
        if everywhere {
            experiment = try experiment.setting(site: 1, mask: range.map { row in (0..<8).map { (row + $0) % 5 == 0 } },
                                                values: Matrix(rows: range.count, columns: 8, range.flatMap { row in (0..<8).map { Float(row % 7 + $0) } }))
                .setting(site: 2, mask: range.map { [$0 % 4 == 0] }, values: Matrix(rows: range.count, columns: 1, range.map { Float($0 % 3) }))
        }
        return try Dataset(x: x, y: y, intervention: experiment)
    }

    private func model() throws -> Model<Float> { try Model(.mlp(inputs: 3, hidden: [8], outputs: 1), seed: 0) }
    private let options = TrainerOptions(epochs: 4, batchSize: 30, schedule: .cosine, shuffles: false)

    @Test(arguments: [false, true]) func sameBatchesSameBits(_ everywhere: Bool) throws {
        let whole = try model(), streamed = try model()
        let trainer = try Trainer(whole, on: rows(0..<100, everywhere: everywhere), options: options)
        try trainer.run()
        let stream = try Trainer(streaming: streamed, options: options)
        while stream.state == .running {
            for first in stride(from: 0, to: 100, by: 30) { try stream.learn(rows(first..<min(first + 30, 100), everywhere: everywhere)) }
            try stream.endEpoch()
        }
        #expect(whole.parameters!.values == streamed.parameters!.values)
        #expect(stream.state == .finished && stream.history.map(\.loss) == trainer.history.map(\.loss))
        #expect(stream.history.map(\.learningRate) == trainer.history.map(\.learningRate))
    }

    @Test func refuses() throws {
        func kind(_ body: () throws -> Void) -> EngineError.Kind? {
            do { try body() } catch { return (error as? EngineError)?.kind }
            return nil
        }
        let stream = try Trainer(streaming: model(), options: options)
        #expect(kind { try stream.endEpoch() } == .state)
        #expect(kind { try stream.run() } == .state)
        var wrong = Matrix<Float>(arrayLiteral: [1, 2, 3])
        wrong[0, 1] = .nan
        #expect(kind { try stream.learn(Dataset(x: wrong, y: [[1]])) } == .value)
        #expect(kind { try stream.learn(Dataset(x: [[1, 2]], y: [[1]])) } == .shape)
        // Nothing has happened: it goes on.
        try stream.learn(rows(0..<5))
        #expect(try stream.endEpoch() == .running)
        let own = try Trainer(model(), on: rows(0..<5), options: options)
        #expect(kind { try own.learn(rows(0..<5)) } == .state)
        var patient = options
        patient.patience = 2
        #expect(kind { _ = try Trainer(streaming: model(), options: patient) } == .value)
    }
}
